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

{#- The highest of these numbers in the seconds from this event on: whether it is a part of
    what reached it. -#}
{% macro most_within(number, by, seconds) -%}
    max({{ number }}) over (
        partition by {{ by }} order by second
        range between current row and {{ seconds | int }} following
    )
{%- endmacro %}
