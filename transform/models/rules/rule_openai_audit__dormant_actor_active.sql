{%- set days = openai_audit.parameter('dormant_actor_active', 'days', 90) -%}
{%- set columns = ['event_id', 'account_id', 'occurred_at', 'actor_id', 'event_type', 'workspace_id'] -%}
with

acts as (
    {{ openai_audit.watched_acts(['event_type', 'workspace_id']) }}
),

dated as (
    select
        {{ columns | join(',\n        ') }},
        {{ openai_audit.last_seen('acts') }} as acted_before_at
    from acts
    where place = 1

    union all

    select
        {{ columns | join(',\n        ') }},
        acted_before_at
    from acts
    where place > 1
),

rested as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        {{ openai_audit.administers() }} as is_administration,
        {{ openai_audit.second('occurred_at') }} as second,
        {{ openai_audit.second('occurred_at') }} - {{ openai_audit.second('acted_before_at') }} >= {{ days * 86400 }} as is_awakening
    from dated
),

-- A returning user usually signs in first.
awake as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        second,
        is_administration,
        max(case when is_awakening then second end) over (partition by account_id, actor_id order by second) as awake_since
    from rested
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    'medium' as severity,
    '{event}; {actor} had been inactive for at least {{ days }} days' as sentence
from awake
where is_administration and second - awake_since <= 86400
