{#- Counting events within a span of time, in linear and not in quadratic time, because an
    attacker decides how many events there are. Queries give each event its `second`. -#}

{#- A time as whole seconds since 1970. -#}
{% macro second(moment) -%} {{ return(adapter.dispatch('second', 'openai_audit')(moment)) }} {%- endmacro %}
{% macro default__second(moment) -%} cast(floor(extract(epoch from {{ moment }})) as bigint) {%- endmacro %}
{% macro snowflake__second(moment) -%} date_part(epoch_second, {{ moment }}) {%- endmacro %}
{% macro bigquery__second(moment) -%} unix_seconds({{ moment }}) {%- endmacro %}

{#- A query for events with `number`: how many counted events of the same entity there were
    in the seconds up to each. It is a running sum of +1 for an event and -1 at the end of
    its span: windows whose start moves take quadratic time in PostgreSQL if they exceed its
    memory. `events` has the columns `event_id, account_id, occurred_at, entity, second,
    is_counted`, and those in `others`. -#}
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

{#- A query for events with `things`: how many different things there were in the seconds up
    to each. A thing counts from each of its events until the end of the span: +1 at the
    start and -1 at the end are summed in the order of time. `events` has the columns
    `event_id, account_id, occurred_at, entity, thing, second`. -#}
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
