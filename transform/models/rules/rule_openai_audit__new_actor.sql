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
        row_number() over (partition by account_id, actor_id order by occurred_at, event_id) as place
    from {{ ref('int_openai_audit__watched') }}
    where actor_id is not null and not {{ openai_audit.failed_to_sign_in() }}
)

select
    acts.event_id,
    acts.account_id,
    acts.occurred_at,
    acts.actor_id as entity,
    'info' as severity,
    '{event}; the log has nothing that {actor} did before' as sentence
from acts
inner join known on acts.account_id = known.account_id and acts.actor_id = known.actor_id
where acts.place = 1 and known.last_seen_at is null
