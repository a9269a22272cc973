{#- The types of the columns of raw tables, with one name for all warehouses. -#}

{% macro type_of(kind) -%}
    {%- if kind == 'json' -%} {{ openai_audit.type_json() }}
    {%- elif kind == 'timestamp' -%} {{ dbt.type_timestamp() }}
    {%- elif kind == 'bigint' -%} {{ dbt.type_bigint() }}
    {%- elif kind == 'boolean' -%} {{ dbt.type_boolean() }}
    {%- else -%} {{ dbt.type_string() }}
    {%- endif -%}
{%- endmacro %}

{% macro type_json() -%} {{ return(adapter.dispatch('type_json', 'openai_audit')()) }} {%- endmacro %}
{% macro default__type_json() -%} json {%- endmacro %}
{% macro postgres__type_json() -%} jsonb {%- endmacro %}
{% macro snowflake__type_json() -%} variant {%- endmacro %}


{#- A time of any type, as UTC without a zone. -#}
{% macro utc(column, data_type) -%}
    {{ return(adapter.dispatch('utc', 'openai_audit')(column, data_type | lower)) }}
{%- endmacro %}

{% macro default__utc(column, data_type) -%}
    {%- if 'with time zone' in data_type or data_type == 'timestamptz' -%}
        ({{ column }} at time zone 'UTC')
    {%- else -%}
        cast({{ column }} as {{ dbt.type_timestamp() }})
    {%- endif -%}
{%- endmacro %}

{% macro snowflake__utc(column, data_type) -%}
    {%- if data_type.endswith('tz') and not data_type.endswith('ntz') -%}
        cast(convert_timezone('UTC', {{ column }}) as timestamp_ntz)
    {%- else -%}
        cast({{ column }} as timestamp_ntz)
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__utc(column, data_type) -%} cast({{ column }} as timestamp) {%- endmacro %}


{#- The current time in UTC. Unit tests override it. -#}
{% macro now() -%} {{ return(adapter.dispatch('now', 'openai_audit')()) }} {%- endmacro %}
{% macro default__now() -%} (current_timestamp at time zone 'UTC') {%- endmacro %}
{% macro snowflake__now() -%} cast(sysdate() as timestamp_ntz) {%- endmacro %}
{% macro bigquery__now() -%} current_timestamp() {%- endmacro %}


{#- Seconds from one time to another. -#}
{% macro seconds_between(begin, end) -%}
    {{ return(adapter.dispatch('seconds_between', 'openai_audit')(begin, end)) }}
{%- endmacro %}

{% macro default__seconds_between(begin, end) -%}
    cast({{ dbt.datediff(begin, end, 'second') }} as {{ dbt.type_bigint() }})
{%- endmacro %}

{#- dbt's own macro cuts both to whole days and hours first, at twice the length. -#}
{% macro postgres__seconds_between(begin, end) -%}
    cast(extract(epoch from ({{ end }}) - ({{ begin }})) as bigint)
{%- endmacro %}


{#- A text as a number; null if it is not a number. The log may hold any text. -#}
{% macro number(text, type='float') -%}
    {{ return(adapter.dispatch('number', 'openai_audit')(text, type)) }}
{%- endmacro %}

{% macro default__number(text, type) -%}
    try_cast({{ text }} as {{ 'double' if type == 'float' else type }})
{%- endmacro %}

{% macro bigquery__number(text, type) -%}
    safe_cast({{ text }} as {{ 'float64' if type == 'float' else 'int64' }})
{%- endmacro %}

{% macro postgres__number(text, type) -%}
    case when {{ text }} ~ '^ *[-+]?[0-9]{1,15}{{ "([.][0-9]{1,30})?" if type == 'float' }} *$' then cast({{ text }} as {{ type }}) end
{%- endmacro %}


{#- An id that fits into an index. Ids of the API have some 30 characters; longer than 200,
    an id is cut and its hash appended. -#}
{% macro short_id(id) -%}
    case when length({{ id }}) > 200 then left({{ id }}, 160) || '…' || {{ dbt.hash(id) }} else {{ id }} end
{%- endmacro %}
