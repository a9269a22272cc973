{%- set addresses = openai_audit.parameter('credential_stuffing', 'addresses', 5) -%}
{%- set minutes = openai_audit.parameter('credential_stuffing', 'minutes', 30) -%}
with

failures as (
    select
        event_id,
        account_id,
        occurred_at,
        actor as entity,
        ip_address as thing,
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
    'medium' as severity,
    '{event}; sign-ins to this account failed from at least {{ addresses }} addresses within {{ minutes }} minutes' as sentence
from counted
where things >= {{ addresses }}
