with

acts as (
    {{ openai_audit.watched_acts() }}
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    'info' as severity,
    '{event}; this is the first event of {actor} in the log' as sentence
from acts
where place = 1 and {{ openai_audit.last_seen('acts') }} is null
