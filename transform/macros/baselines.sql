{#- What an actor did before. Rules compare with it what is watched, and read no more of the
    past than that of the actors who are watched; an index leads there. Who has no id, has
    no past.

    Windows whose beginning moves only count: a least or greatest value of one costs as much
    as the window is long, for each event. -#}

{#- A query for those actors, as `account_id, actor_id`, and for their first watched event
    that meets a condition, as `since`. -#}
{% macro watched_actors(condition) -%}
    select
        account_id,
        actor_id,
        min(occurred_at) as since
    from {{ ref('int_openai_audit__watched') }}
    where actor_id is not null and {{ condition }}
    group by account_id, actor_id
{%- endmacro %}

{#- A query for what they did last before that, as `last_seen_at`; null for nothing. -#}
{% macro last_seen(actors, condition) -%}
    select
        account_id,
        actor_id,
        (
            select max(earlier.occurred_at)
            from {{ ref('int_openai_audit__events') }} as earlier
            where
                earlier.account_id = {{ actors }}.account_id
                and earlier.actor_id = {{ actors }}.actor_id
                and earlier.occurred_at < {{ actors }}.since
                and {{ condition }}
        ) as last_seen_at
    from {{ actors }}
{%- endmacro %}

{#- A query for what they did from `days` before that on, as far as it meets a condition: what
    is watched, and what that is compared with. -#}
{% macro habits(actors, columns, days, condition) -%}
    select
        events.event_id,
        events.account_id,
        events.occurred_at,
        events.actor_id,
        {{ openai_audit.second('events.occurred_at') }} as second,
        events.occurred_at >= {{ actors }}.since as is_watched,
        events.{{ columns | join(',\n        events.') }}
    from {{ actors }}
    inner join {{ ref('int_openai_audit__events') }} as events
        on
            {{ actors }}.account_id = events.account_id
            and {{ actors }}.actor_id = events.actor_id
            and events.occurred_at >= {{ dbt.dateadd('day', -1 * (days | int), actors ~ '.since') }}
    where {{ condition }}
{%- endmacro %}

{#- How many of an actor's events there are between two numbers of seconds before this one. -#}
{% macro count_before(begin, end=1, by='account_id, actor_id', counted='*') -%}
    count({{ counted }}) over (
        partition by {{ by }} order by second
        range between {{ begin | int }} preceding and {{ end | int }} preceding
    )
{%- endmacro %}
