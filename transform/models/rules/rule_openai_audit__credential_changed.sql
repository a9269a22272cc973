select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, actor, event_id) as entity,
    'low' as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    event_type like 'api_key.%'
    or event_type like 'service_account.%'
    or event_type like 'tenant.project_api_key.%'
    or event_type like 'tenant.service_account.%'
