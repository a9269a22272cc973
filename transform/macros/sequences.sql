{#- Counting what happens within a span of time, at a cost that grows with the number of
    events and not with its square: whoever attacks decides how many there are. Queries
    give each event its `second`. -#}

{#- A moment as whole seconds since 1970. -#}
{% macro second(moment) -%} {{ return(adapter.dispatch('second', 'openai_audit')(moment)) }} {%- endmacro %}
{% macro default__second(moment) -%} cast(floor(extract(epoch from {{ moment }})) as bigint) {%- endmacro %}
{% macro snowflake__second(moment) -%} date_part(epoch_second, {{ moment }}) {%- endmacro %}
{% macro bigquery__second(moment) -%} unix_seconds({{ moment }}) {%- endmacro %}

{#- How many events there are of the same kind in the seconds up to this one. -#}
{% macro count_within(by, seconds, counted='*') -%}
    count({{ counted }}) over (
        partition by {{ by }} order by second
        range between {{ seconds | int }} preceding and current row
    )
{%- endmacro %}

{#- A query that says of each `account_id, entity, second` how many different things there
    were in the seconds up to it, as `things`.

    A thing is there from each of its events until the span is over. Where that begins and
    ends is marked, and the marks are summed up in the order of time.

    `events` has the columns `account_id, entity, thing, second`. -#}
{% macro distinct_within(events, seconds) -%}
    {%- set of_the_thing = 'partition by account_id, entity, thing order by second' -%}
    select
        account_id,
        entity,
        second,
        sum(sum(step)) over (
            partition by account_id, entity order by second rows between unbounded preceding and current row
        ) as things
    from (
        select account_id, entity, second, case when second - before <= {{ seconds | int }} then 0 else 1 end as step
        from (select account_id, entity, second, lag(second) over ({{ of_the_thing }}) as before from {{ events }}) as begun
        union all
        select account_id, entity, second + {{ seconds | int }} + 1 as second, case when after - second <= {{ seconds | int }} then 0 else -1 end as step
        from (select account_id, entity, second, lead(second) over ({{ of_the_thing }}) as after from {{ events }}) as ended
    ) as marks
    group by account_id, entity, second
{%- endmacro %}
