{%- set made = openai_audit.parameter('credential_sprawl', 'made', 3) -%}
{%- set days = openai_audit.parameter('credential_sprawl', 'days', 14) -%}
{#- Each kind by itself: who starts a project makes one of each. The tenant tells of keys that
    the organization tells of as well. -#}
{%- set kinds = ['api_key.created', 'service_account.created', 'project.created', 'PERSONAL_ACCESS_TOKEN_CREATE'] -%}
with

makings as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        coalesce(actor_id, actor_email, api_key_id) as actor,
        cast(floor({{ openai_audit.second('occurred_at') }} / 86400.0) as {{ dbt.type_bigint() }}) as day
    from {{ ref('int_openai_audit__watched') }}
    where event_type in {{ openai_audit.text_list(kinds) }} and coalesce(outcome, '') not in ('blocked', 'failed')
),

-- As far back as the rule asks about any of them.
all_makings as (
    select
        account_id,
        event_type,
        coalesce(actor_id, actor_email, api_key_id) as actor,
        cast(floor({{ openai_audit.second('occurred_at') }} / 86400.0) as {{ dbt.type_bigint() }}) as day
    from {{ ref('int_openai_audit__events') }}
    where
        event_type in {{ openai_audit.text_list(kinds) }}
        and coalesce(outcome, '') not in ('blocked', 'failed')
        and occurred_at >= {{ dbt.dateadd('day', -1 - days, '(select min(makings.occurred_at) from makings)') }}
),

counted_days as (
    select
        account_id,
        event_type,
        actor,
        day,
        count(*) as made
    from all_makings
    group by account_id, event_type, actor, day
),

compared_days as (
    select
        account_id,
        event_type,
        actor,
        day,
        made,
        count(*) over (
            partition by account_id, event_type, actor order by day range between {{ days | int }} preceding and 1 preceding
        ) as days_before
    from counted_days
)

select
    makings.event_id,
    makings.account_id,
    makings.occurred_at,
    makings.actor as entity,
    'medium' as severity,
    '{actor} made at least {{ made }} of a kind on a day, and none in the {{ days }} days before; the last: {event}' as sentence
from makings
inner join compared_days
    on
        makings.account_id = compared_days.account_id
        and makings.event_type = compared_days.event_type
        and makings.actor = compared_days.actor
        and makings.day = compared_days.day
where compared_days.made >= {{ made }} and compared_days.days_before = 0
