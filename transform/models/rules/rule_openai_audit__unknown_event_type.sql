select
    watched.event_id,
    watched.account_id,
    watched.occurred_at,
    watched.event_type as entity,
    'info' as severity,
    '{event}; this version of openai_audit does not know this event type' as sentence
from {{ ref('int_openai_audit__watched') }} as watched
left join {{ ref('openai_audit__event_types') }} as types on watched.event_type = types.event_type
where watched.workspace_id is null and watched.event_type is not null and types.event_type is null
