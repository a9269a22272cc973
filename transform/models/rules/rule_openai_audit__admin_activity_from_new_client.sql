{%- set days = openai_audit.parameter('admin_activity_from_new_client', 'days', 30) -%}
{%- set events = openai_audit.parameter('admin_activity_from_new_client', 'events', 10) -%}
{%- set week = 7 -%}
with

-- Some browsers change their JA3 with each connection.
acts as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        {{ openai_audit.administers() }} as is_administration,
        asn as network,
        nullif(coalesce(ja4, ja3, '') || ' ' || coalesce(user_agent, ''), ' ') as program,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__remembered') }}
    where asn is not null
),

-- A value is new from an event on if it was unseen for `days` before that event.
first_ones as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        is_administration,
        network,
        program,
        second,
        {%- for mark in ['network', 'program'] %}
        case
            when coalesce(second - lag(second) over (partition by account_id, actor_id, {{ mark }} order by second) > {{ 86400 * days }}, true)
                then second
        end as {{ mark }}_began,
        {%- endfor %}
        {{ openai_audit.count_before(86400 * (days + week), 86400 * week) }} as before,
        {{ openai_audit.count_before(86400 * (days + week), 86400 * (week + days // 2)) }} as long_before
    from acts
),

dated as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        is_administration,
        program,
        second,
        before,
        long_before,
        {%- for mark in ['network', 'program'] %}
        max({{ mark }}_began) over (partition by account_id, actor_id, {{ mark }} order by second) as {{ mark }}_since{{ ',' if not loop.last }}
        {%- endfor %}
    from first_ones
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    'medium' as severity,
    '{event}; the network and the client are new for {actor}: not seen in the {{ days }} days before' as sentence
from dated
where
    is_administration
    and program is not null
    and second - network_since < {{ 86400 * week }}
    and second - program_since < {{ 86400 * week }}
    and before >= {{ events }}
    and long_before > 0
