select
    event_id,
    account_id,
    occurred_at,
    coalesce(account_id, event_id) as entity,
    case event_type when 'scim.disabled' then 'high' else 'low' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where event_type in ('scim.disabled', 'scim.enabled')
