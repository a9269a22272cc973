{%- set users = openai_audit.parameter('multiple_users_from_one_ip', 'users', 3) -%}
{%- set minutes = openai_audit.parameter('multiple_users_from_one_ip', 'minutes', 60) -%}
with

sessions as (
    select
        event_id,
        account_id,
        occurred_at,
        ip_address as entity,
        actor as thing,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__watched') }}
    where
        actor_kind in ('user', 'external_user')
        and actor is not null
        and ip_address is not null
        and not {{ openai_audit.failed_to_sign_in() }}
),

counted as (
    {{ openai_audit.distinct_within('sessions', 60 * minutes) }}
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    'low' as severity,
    '{event}; at least {{ users }} users were active from this address within {{ minutes }} minutes' as sentence
from counted
where things >= {{ users }}
