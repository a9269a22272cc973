{%- set days = openai_audit.parameter('dormant_actor_active', 'days', 90) -%}
with

actors as (
    {{ openai_audit.watched_actors('not ' ~ openai_audit.failed_to_sign_in()) }}
),

known as (
    {{ openai_audit.last_seen('actors', 'not ' ~ openai_audit.failed_to_sign_in()) }}
),

acts as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        {{ openai_audit.second('occurred_at') }} as second,
        {{ openai_audit.administers() }} as is_administration,
        lag(occurred_at) over (partition by account_id, actor_id order by occurred_at, event_id) as acted_before_at
    from {{ ref('int_openai_audit__watched') }}
    where actor_id is not null and not {{ openai_audit.failed_to_sign_in() }}
),

rested as (
    select
        acts.event_id,
        acts.account_id,
        acts.occurred_at,
        acts.actor_id,
        acts.second,
        acts.is_administration,
        acts.second - {{ openai_audit.second('coalesce(acts.acted_before_at, known.last_seen_at)') }} >= {{ days * 86400 }} as is_awakening
    from acts
    inner join known on acts.account_id = known.account_id and acts.actor_id = known.actor_id
),

-- Who comes back signs in first, mostly.
awake as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        second,
        is_administration,
        max(case when is_awakening then second end) over (partition by account_id, actor_id order by second) as awake_since
    from rested
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    'medium' as severity,
    '{event}; {actor} had done nothing for at least {{ days }} days' as sentence
from awake
where is_administration and second - awake_since <= 86400
