select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, project_id, actor, event_id) as entity,
    'info' as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where event_type like 'project.%'
