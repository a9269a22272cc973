{%- set deletions = openai_audit.parameter('mass_deletion', 'deletions', 10) -%}
{%- set minutes = openai_audit.parameter('mass_deletion', 'minutes', 10) -%}
with

deletions as (
    select
        event_id,
        account_id,
        occurred_at,
        actor as entity,
        {{ openai_audit.second('occurred_at') }} as second,
        true as is_counted
    from {{ ref('int_openai_audit__watched') }}
    where
        actor is not null
        and (
            event_type like '%.deleted'
            or event_type like '%.archived'
            or event_type like '%.removed'
            or event_type like '%.revoked'
            -- Without the deletions of a workspace that people and compliance tools do
            -- every day.
            or event_type in ('USER_DELETE', 'GROUP_DELETE', 'DELETE_GPT', 'DELETE_PROJECT', 'DELETE_CUSTOM_AGENT', 'DELETE_WORKSPACE_SKILL')
        )
),

counted as (
    {{ openai_audit.counted_within('deletions', 60 * minutes) }}
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    'high' as severity,
    '{actor} deleted at least {{ deletions }} objects within {{ minutes }} minutes; the last: {event}' as sentence
from counted
where number >= {{ deletions }}
