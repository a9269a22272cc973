{#- The events that the rules read. Two views use it; they are created again for all events
    if the rules have changed: macros/rules.sql. -#}

{#- The events that are judged, and those of the two days before, in which a sequence may
    have begun: some sequences have two parts, each within a day. `accounts` is the result
    of `not_judged`. -#}
{% macro watched_events(accounts) -%}
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
where {{ openai_audit.is_judged(accounts, lookback=2) }}
{%- endmacro %}

{#- The events that are judged, and those of the 40 days before, for rules with a baseline.
    Only events of actors with an id, without failed sign-ins: others have no baseline. -#}
{% macro remembered_events(accounts) -%}
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
    {{ openai_audit.is_judged(accounts, lookback=40) }}
    and actor_id is not null
    and not {{ openai_audit.failed_to_sign_in() }}
{%- endmacro %}
