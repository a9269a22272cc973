{%- set failures = openai_audit.parameter('brute_force_succeeded', 'failures', 5) -%}
{%- set minutes = openai_audit.parameter('brute_force_succeeded', 'minutes', 30) -%}
with

sign_ins as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        actor_id,
        actor_email,
        {{ openai_audit.second('occurred_at') }} as second,
        {{ openai_audit.signed_in() }} as is_success
    from {{ ref('int_openai_audit__watched') }}
    where {{ openai_audit.failed_to_sign_in() }} or {{ openai_audit.signed_in() }}
),

-- A failure may name only the address of whom a success also names the id.
counted as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        is_success,
        {{ openai_audit.count_within('account_id, actor_id', 60 * minutes, 'case when not is_success and actor_id is not null then 1 end') }} as failures_of_id,
        {{ openai_audit.count_within('account_id, actor_email', 60 * minutes, 'case when not is_success and actor_email is not null then 1 end') }} as failures_of_address
    from sign_ins
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'high' as severity,
    '{event}, after at least {{ failures }} sign-ins of this account had failed within {{ minutes }} minutes' as sentence
from counted
where is_success and (failures_of_id >= {{ failures }} or failures_of_address >= {{ failures }})
