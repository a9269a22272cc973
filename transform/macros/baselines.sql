{#- What an actor did before. Rules compare with it what is watched, and read no more of the
    past than that of the actors who are watched; an index leads there. Who has no id, has
    no past. -#}

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
