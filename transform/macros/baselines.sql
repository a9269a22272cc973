{#- The earlier events of an actor with an id. Actors without an id have no history. -#}

{#- A query for the events of actors that are judged, with their `place` in the order of the
    actor's events and the time of the previous one, as `acted_before_at`. Failed sign-ins
    are left out. -#}
{% macro watched_acts(columns=[]) -%}
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        {% for column in columns -%} {{ column }}, {% endfor -%}
        row_number() over (partition by account_id, actor_id order by occurred_at, event_id) as place,
        lag(occurred_at) over (partition by account_id, actor_id order by occurred_at, event_id) as acted_before_at
    from {{ ref('int_openai_audit__watched') }}
    where actor_id is not null and not {{ openai_audit.failed_to_sign_in() }}
{%- endmacro %}

{#- The time of the actor's previous event; null if there is none. It costs a lookup, so use
    it for the first event only. -#}
{% macro last_seen(act) -%}
    (
        select max(earlier.occurred_at)
        from {{ ref('int_openai_audit__events') }} as earlier
        where
            earlier.account_id = {{ act }}.account_id
            and earlier.actor_id = {{ act }}.actor_id
            and earlier.occurred_at < {{ act }}.occurred_at
            and not {{ openai_audit.failed_to_sign_in() }}
    )
{%- endmacro %}

{#- How many of an actor's events lie between two numbers of seconds before this one.
    Windows whose start moves must only count: for a minimum or maximum PostgreSQL reads the
    whole window again for each event. -#}
{% macro count_before(begin, end=1, by='account_id, actor_id', counted='*') -%}
    count({{ counted }}) over (
        partition by {{ by }} order by second
        range between {{ begin | int }} preceding and {{ end | int }} preceding
    )
{%- endmacro %}

{#- PostgreSQL uses 4 MB for each sort by default, and moving windows over more than that
    take quadratic time. 256 MB hold a million events of one actor. -#}
{% macro with_memory_for_windows() -%}
    {%- if target.type == 'postgres' -%} set local work_mem = '256MB' {%- endif -%}
{%- endmacro %}
