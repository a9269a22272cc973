{#- The events that the rules of this run judge, and those of the 40 days before: for rules
    that ask what was usual. Only those who did something, and have an id, have habits. -#}
select
    event_id,
    occurred_at,
    account_id,
    workspace_id,
    event_type,
    outcome,
    actor_id,
    country,
    asn,
    user_agent,
    ja3,
    ja4
from {{ ref('int_openai_audit__events') }}
where
    {{ openai_audit.is_judged(openai_audit.being_judged(), lookback=40) }}
    and actor_id is not null
    and not {{ openai_audit.failed_to_sign_in() }}
-- depends_on: {{ ref('int_openai_audit__judged') }}, {{ ref('int_openai_audit__watched') }}
