{#- Counting what happens within a span of time, at a cost that grows with the number of
    events and not with its square: whoever attacks decides how many there are. Queries
    give each event its `second`. -#}

{#- A moment as whole seconds since 1970. -#}
{% macro second(moment) -%} {{ return(adapter.dispatch('second', 'openai_audit')(moment)) }} {%- endmacro %}
{% macro default__second(moment) -%} cast(floor(extract(epoch from {{ moment }})) as bigint) {%- endmacro %}
{% macro snowflake__second(moment) -%} date_part(epoch_second, {{ moment }}) {%- endmacro %}
{% macro bigquery__second(moment) -%} unix_seconds({{ moment }}) {%- endmacro %}

{#- A query for events and how many that count there were of the same entity in the seconds up
    to each, as `number`.

    It is a sum of steps, up where an event counts and down where its span is over: windows
    whose beginning moves cost PostgreSQL the square of what does not fit its memory.

    `events` has the columns `event_id, account_id, occurred_at, entity, second, is_counted`,
    and those that are named in `others`. -#}
{% macro counted_within(events, seconds, others=[]) -%}
    {%- set columns = ['account_id', 'occurred_at', 'entity', 'is_counted'] + others -%}
    select
        event_id,
        {{ columns | join(',\n        ') }},
        number
    from (
        select
            event_id,
            {{ columns | join(',\n            ') }},
            sum(step) over (partition by account_id, entity order by second) as number
        from (
            select
                event_id,
                {{ columns | join(',\n                ') }},
                second,
                case when is_counted then 1 else 0 end as step
            from {{ events }}

            union all

            select
                null as event_id,
                {{ columns | join(',\n                ') }},
                second + {{ seconds | int }} + 1 as second,
                -1 as step
            from {{ events }}
            where is_counted
        ) as steps
    ) as summed_up
    where event_id is not null
{%- endmacro %}

{#- A query for events and how many different things there were in the seconds up to each,
    as `things`.

    A thing is there from each of its events until the span is over. Where that begins and
    ends is marked, and the marks are summed up in the order of time.

    `events` has the columns `event_id, account_id, occurred_at, entity, thing, second`. -#}
{% macro distinct_within(events, seconds) -%}
    {%- set of_the_thing = 'partition by account_id, entity, thing order by second' -%}
    select
        event_id,
        account_id,
        occurred_at,
        entity,
        things
    from (
        select
            event_id,
            account_id,
            occurred_at,
            entity,
            sum(case when is_there then 0 else step end) over (partition by account_id, entity order by second) as things
        from (
            select
                event_id,
                account_id,
                occurred_at,
                entity,
                second,
                1 as step,
                coalesce(second - lag(second) over ({{ of_the_thing }}) <= {{ seconds | int }}, false) as is_there
            from {{ events }}

            union all

            select
                null as event_id,
                account_id,
                occurred_at,
                entity,
                second + {{ seconds | int }} + 1 as second,
                -1 as step,
                coalesce(lead(second) over ({{ of_the_thing }}) - second <= {{ seconds | int }}, false) as is_there
            from {{ events }}
        ) as marks
    ) as summed_up
    where event_id is not null
{%- endmacro %}
