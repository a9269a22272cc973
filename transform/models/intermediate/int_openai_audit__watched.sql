{{ config(post_hook="{{ openai_audit.note_what_is_judged() }}") }}
{#- The events that the rules of this run judge, and those of the two days before, because a
    sequence may have begun there: some are of two parts, each within a day. A rule that
    needs to know more of the past reads `int_openai_audit__events`. -#}
select
    event_id,
    occurred_at,
    account_id,
    organization_id,
    workspace_id,
    source,
    event_type,
    outcome,
    actor_type,
    actor_kind,
    coalesce(actor_id, actor_email, api_key_id) as actor,
    actor_id,
    actor_email,
    api_key_id,
    ip_address,
    country,
    city,
    latitude,
    longitude,
    asn,
    user_agent,
    ja3,
    ja4,
    project_id,
    object_id,
    object_name,
    role,
    setting,
    target,
    details
from {{ ref('int_openai_audit__events') }}
where {{ openai_audit.is_judged(openai_audit.not_judged(), lookback=2) }}
-- depends_on: {{ ref('int_openai_audit__judged') }}
