select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, account_id, event_id) as entity,
    case when event_type like '%.started' then 'low' else 'high' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where event_type like 'tenant.microsoft_entra_mapping.%' or event_type like 'tenant.scim.%'
