{%- set created = openai_audit.parameter('mass_credential_creation', 'created', 3) -%}
{%- set days = openai_audit.parameter('mass_credential_creation', 'days', 14) -%}
{#- Each kind is counted separately, because a new project often needs one of each. Types of
    the tenant log are left out: it repeats keys of the organization log. -#}
{%- set kinds = ['api_key.created', 'service_account.created', 'project.created', 'PERSONAL_ACCESS_TOKEN_CREATE'] -%}
with

-- The events to judge, and those of the days before them.
creations as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        coalesce(actor_id, actor_email, api_key_id) as actor,
        cast(floor({{ openai_audit.second('occurred_at') }} / 86400.0) as {{ dbt.type_bigint() }}) as day
    from {{ ref('int_openai_audit__events') }}
    where
        event_type in {{ openai_audit.text_list(kinds) }}
        and coalesce(outcome, '') not in ('blocked', 'failed')
        and occurred_at >= (
            select {{ dbt.dateadd('day', -1 - days, 'min(watched.occurred_at)') }}
            from {{ ref('int_openai_audit__watched') }} as watched
            where watched.event_type in {{ openai_audit.text_list(kinds) }}
        )
),

counted as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        count(*) over (partition by account_id, event_type, actor, day) as created,
        count(*) over (
            partition by account_id, event_type, actor order by day range between {{ days | int }} preceding and 1 preceding
        ) as created_before
    from creations
    where actor is not null
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'medium' as severity,
    '{actor} created at least {{ created }} of one kind in a day, after none in the {{ days }} days before; the last: {event}' as sentence
from counted
where created >= {{ created }} and created_before = 0
