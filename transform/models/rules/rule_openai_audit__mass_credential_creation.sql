{%- set made = openai_audit.parameter('mass_credential_creation', 'made', 3) -%}
{%- set days = openai_audit.parameter('mass_credential_creation', 'days', 14) -%}
{#- Each kind by itself: who starts a project makes one of each. The tenant tells of keys that
    the organization tells of as well. -#}
{%- set kinds = ['api_key.created', 'service_account.created', 'project.created', 'PERSONAL_ACCESS_TOKEN_CREATE'] -%}
with

-- What is judged, and as far back as is asked about any of it.
makings as (
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
        count(*) over (partition by account_id, event_type, actor, day) as made,
        count(*) over (
            partition by account_id, event_type, actor order by day range between {{ days | int }} preceding and 1 preceding
        ) as made_before
    from makings
    where actor is not null
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'medium' as severity,
    '{actor} made at least {{ made }} of a kind on a day, and none in the {{ days }} days before; the last: {event}' as sentence
from counted
where made >= {{ made }} and made_before = 0
