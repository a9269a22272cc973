{%- set days = openai_audit.parameter('new_client_for_actor', 'days', 30) -%}
{%- set events = openai_audit.parameter('new_client_for_actor', 'events', 10) -%}
{%- set week = 7 -%}
{%- set marks = ['asn', 'ja3', 'ja4', 'user_agent'] -%}
{%- set acted = 'not ' ~ openai_audit.failed_to_sign_in() -%}
with

actors as (
    {{ openai_audit.watched_actors(acted) }}
),

acts as (
    {{ openai_audit.habits('actors', marks + ['event_type', 'workspace_id'], days + week, acted) }}
),

-- A mark is new from the event on before which it was not there for so many days.
first_ones as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        second,
        is_watched,
        {{ openai_audit.administers() }} as is_administration,
        {% for mark in marks -%}
        {{ mark }},
        case
            when coalesce(second - lag(second) over (partition by account_id, actor_id, {{ mark }} order by second, event_id) > {{ 86400 * days }}, true)
                then second
        end as {{ mark }}_began,
        {% endfor -%}
        {{ openai_audit.count_before(86400 * (days + week), 86400 * week, counted='asn') }} as known_before,
        {{ openai_audit.count_before(86400 * (days + week), 86400 * (week + days // 2), counted='asn') }} as known_long_before
    from acts
),

dated as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        second,
        is_watched,
        is_administration,
        known_before,
        known_long_before,
        ja4,
        {%- for mark in marks %}
        coalesce(
            {{ mark }} is not null
            and second - max({{ mark }}_began) over (partition by account_id, actor_id, {{ mark }} order by second) < {{ 86400 * week }},
            false
        ) as is_new_{{ mark }}{{ ',' if not loop.last }}
        {%- endfor %}
    from first_ones
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    'medium' as severity,
    '{event}; {actor} uses a network and a program that were not seen of them in the {{ days }} days before' as sentence
from dated
where
    is_watched
    and is_administration
    and is_new_asn
    -- Some browsers change their JA3 with each connection.
    and (is_new_ja4 or is_new_user_agent or (ja4 is null and is_new_ja3))
    and known_before >= {{ events }}
    and known_long_before > 0
