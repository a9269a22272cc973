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
        {{ openai_audit.failed_to_sign_in() }} as is_counted
    from {{ ref('int_openai_audit__watched') }}
    where {{ openai_audit.failed_to_sign_in() }} or {{ openai_audit.signed_in() }}
),

-- A failed sign-in may contain only the e-mail address, while a successful one also has the
-- id.
of_accounts as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        'id ' || actor_id as entity,
        second,
        is_counted
    from sign_ins
    where actor_id is not null
    union all
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        'address ' || actor_email as entity,
        second,
        is_counted
    from sign_ins
    where actor_email is not null
),

counted as (
    {{ openai_audit.counted_within('of_accounts', 60 * minutes, ['actor']) }}
)

select distinct
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'high' as severity,
    '{event}, after at least {{ failures }} failed sign-ins to this account within {{ minutes }} minutes' as sentence
from counted
where not is_counted and number >= {{ failures }}
