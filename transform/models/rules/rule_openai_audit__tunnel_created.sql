select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, actor, event_id) as entity,
    case event_type when 'tunnel.created' then 'high' else 'medium' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where event_type in ('tunnel.created', 'tunnel.updated')
