{#- What an actor did before, who has an id: others have no past. -#}

{#- A query for what actors did that is watched, with its `place` among the acts of the actor,
    and when the one before it was, as `acted_before_at`. A sign-in that failed is no act. -#}
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

{#- When the actor of an act did something before it; null for never. It is looked up, so ask
    it of the first act only. -#}
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

{#- How many of an actor's acts lie between two numbers of seconds before this one. Windows
    whose beginning moves only count: for a least or greatest value PostgreSQL reads all of
    the window again for each event. -#}
{% macro count_before(begin, end=1, by='account_id, actor_id', counted='*') -%}
    count({{ counted }}) over (
        partition by {{ by }} order by second
        range between {{ begin | int }} preceding and {{ end | int }} preceding
    )
{%- endmacro %}

{#- PostgreSQL has 4 MB for each sort unless it is told otherwise, and windows that move over
    more than that cost the square of it. 256 MB hold a million acts of one actor. -#}
{% macro with_memory_for_windows() -%}
    {%- if target.type == 'postgres' -%} set local work_mem = '256MB' {%- endif -%}
{%- endmacro %}
