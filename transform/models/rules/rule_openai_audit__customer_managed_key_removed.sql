select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, event_id) as entity,
    'critical' as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where event_type = 'external_key.removed'
