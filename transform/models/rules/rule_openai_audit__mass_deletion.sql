{%- set deletions = openai_audit.parameter('mass_deletion', 'deletions', 10) -%}
{%- set minutes = openai_audit.parameter('mass_deletion', 'minutes', 10) -%}
with

deletions as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__watched') }}
    where
        actor is not null
        and (event_type like '%.deleted' or event_type like '%.archived' or event_type like '%.removed')
),

counted as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        {{ openai_audit.count_within('account_id, actor', 60 * minutes) }} as within_span
    from deletions
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'high' as severity,
    '{actor} deleted at least {{ deletions }} objects within {{ minutes }} minutes; the last: {event}' as sentence
from counted
where within_span >= {{ deletions }}
