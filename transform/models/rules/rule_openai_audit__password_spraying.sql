{%- set accounts = openai_audit.parameter('password_spraying', 'accounts', 10) -%}
{%- set minutes = openai_audit.parameter('password_spraying', 'minutes', 30) -%}
with

failures as (
    select
        event_id,
        account_id,
        occurred_at,
        ip_address as entity,
        actor as thing,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__watched') }}
    where {{ openai_audit.failed_to_sign_in() }} and actor is not null and ip_address is not null
),

counted as (
    {{ openai_audit.distinct_within('failures', 60 * minutes) }}
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    'high' as severity,
    '{event}; sign-ins to at least {{ accounts }} accounts failed from this address within {{ minutes }} minutes' as sentence
from counted
where things >= {{ accounts }}
