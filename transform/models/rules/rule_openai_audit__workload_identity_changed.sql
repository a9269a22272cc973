select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, actor, event_id) as entity,
    'high' as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    (event_type like 'workload_identity_provider%' or event_type like 'tenant.workload_identity.%')
    and (event_type like '%.created' or event_type like '%.updated')
