{#- Reading JSON, where warehouses differ. Paths are written `a.b.c`, of plain names. -#}

{#- The text at a path; null if the path does not exist or holds a JSON null. -#}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text', 'openai_audit')(column, path)) }}
{%- endmacro %}

{% macro default__json_text(column, path) -%} json_value({{ column }}, '$.{{ path }}') {%- endmacro %}

{% macro postgres__json_text(column, path) -%}
    {%- if '.' in path -%} {{ column }} #>> '{ {{- path | replace('.', ',') -}} }'
    {%- else -%} {{ column }} ->> '{{ path }}'
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%} json_extract_string({{ column }}, '$.{{ path }}') {%- endmacro %}

{% macro snowflake__json_text(column, path) -%} cast(get_path({{ column }}, '{{ path }}') as varchar) {%- endmacro %}


{#- The text at a path below any object of a column, at any depth; with `beside`, only below
    an object that also has this field. Some warehouses search the top level only. -#}
{% macro json_text_anywhere(column, path, beside=none) -%}
    {{ return(adapter.dispatch('json_text_anywhere', 'openai_audit')(column, path, beside)) }}
{%- endmacro %}

{% macro default__json_text_anywhere(column, path, beside) -%} {{ openai_audit.json_text(column, path) }} {%- endmacro %}

{% macro postgres__json_text_anywhere(column, path, beside) -%}
    (jsonb_path_query_first({{ column }}, '$.** {%- if beside %} ? (exists(@.{{ beside }})){% endif %}.{{ path }} ? (@.type() == "string")') #>> '{}')
{%- endmacro %}

{% macro duckdb__json_text_anywhere(column, path, beside) -%}
    {%- if beside -%}
        list_extract([
            found ->> '$.{{ path }}'
            for found in list_concat([{{ column }}], json_extract({{ column }}, '$..*'))
            if json_exists(found, '$.{{ beside }}') and json_type(found, '$.{{ path }}') = 'VARCHAR'
        ], 1)
    {%- else -%}
        list_extract([found ->> '$' for found in json_extract({{ column }}, '$..{{ path }}') if json_type(found) = 'VARCHAR'], 1)
    {%- endif -%}
{%- endmacro %}


{#- The value under a key that is itself an expression. -#}
{% macro json_member(column, key) -%}
    {{ return(adapter.dispatch('json_member', 'openai_audit')(column, key)) }}
{%- endmacro %}

{% macro default__json_member(column, key) -%} {{ column }}[{{ key }}] {%- endmacro %}
{% macro postgres__json_member(column, key) -%} {{ column }} -> ({{ key }}) {%- endmacro %}
{% macro duckdb__json_member(column, key) -%} json_extract({{ column }}, '$.' || ({{ key }})) {%- endmacro %}
{% macro snowflake__json_member(column, key) -%} get({{ column }}, {{ key }}) {%- endmacro %}


{#- The items of an array, separated by commas: each as text, or the first of these fields
    that it has. Null for no array and for an empty one. -#}
{% macro json_joined(column, path, fields=[]) -%}
    {{ return(adapter.dispatch('json_joined', 'openai_audit')(column, path, fields)) }}
{%- endmacro %}

{% macro postgres__json_joined(column, path, fields) -%}
    {%- set items -%} {{ column }} #> '{ {{- path | replace('.', ',') -}} }' {%- endset -%}
    case when jsonb_typeof({{ items }}) = 'array' then (
        select string_agg(
            {% if fields -%} coalesce({% for field in fields %}item.value ->> '{{ field }}', {% endfor %}'?')
            {%- else -%} coalesce(item.value #>> '{}', '?') {%- endif %}, ', ' order by item.place
        )
        from jsonb_array_elements({{ items }}) with ordinality as item (value, place)
    ) end
{%- endmacro %}

{% macro duckdb__json_joined(column, path, fields) -%}
    {%- set items -%} json_extract({{ column }}, '$.{{ path }}[*]') {%- endset -%}
    nullif(array_to_string([
        {%- if fields %} coalesce({% for field in fields %}json_extract_string(item, '$.{{ field }}'), {% endfor %}'?')
        {%- else %} coalesce(item ->> '$', '?') {%- endif %}
        for item in {{ items }}
    ], ', '), '')
{%- endmacro %}

{% macro snowflake__json_joined(column, path, fields) -%}
    (
        select listagg(
            {% if fields -%} coalesce({% for field in fields %}cast(get(item.value, '{{ field }}') as varchar), {% endfor %}'?')
            {%- else -%} cast(item.value as varchar) {%- endif %}, ', '
        ) within group (order by item.index)
        from lateral flatten(input => get_path({{ column }}, '{{ path }}')) as item
    )
{%- endmacro %}

{% macro bigquery__json_joined(column, path, fields) -%}
    (
        select string_agg(
            {% if fields -%} coalesce({% for field in fields %}json_value(item, '$.{{ field }}'), {% endfor %}'?')
            {%- else -%} json_value(item) {%- endif %}, ', ' order by place
        )
        from unnest(json_query_array({{ column }}, '$.{{ path }}')) as item with offset as place
    )
{%- endmacro %}


{#- The first items of an array as a part of a sentence, each whole, and how many more
    there are. Null for no array and for an empty one. -#}
{% macro json_spoken(column, path, fields=[], quoted=false) -%}
    {{ return(adapter.dispatch('json_spoken', 'openai_audit')(column, path, fields, openai_audit.in_quotes if quoted else openai_audit.spoken)) }}
{%- endmacro %}

{#- How many items a sentence names one by one. -#}
{% macro most_spoken() -%} {{ return(5) }} {%- endmacro %}

{% macro postgres__json_spoken(column, path, fields, written) -%}
    {%- set items -%} {{ column }} #> '{ {{- path | replace('.', ',') -}} }' {%- endset -%}
    {%- set item -%}
        {% if fields -%} coalesce({% for field in fields %}item.value ->> '{{ field }}', {% endfor %}'?')
        {%- else -%} coalesce(item.value #>> '{}', '?') {%- endif %}
    {%- endset -%}
    case when jsonb_typeof({{ items }}) = 'array' then (
        select
            string_agg({{ written(item) }}, ', ' order by item.place) filter (where item.place <= {{ openai_audit.most_spoken() }})
            || case when count(*) > {{ openai_audit.most_spoken() }} then ' and ' || cast(count(*) - {{ openai_audit.most_spoken() }} as text) || ' more' else '' end
        from jsonb_array_elements({{ items }}) with ordinality as item (value, place)
    ) end
{%- endmacro %}

{% macro duckdb__json_spoken(column, path, fields, written) -%}
    {%- set items -%} json_extract({{ column }}, '$.{{ path }}[*]') {%- endset -%}
    {%- set item -%}
        {% if fields -%} coalesce({% for field in fields %}json_extract_string(item, '$.{{ field }}'), {% endfor %}'?')
        {%- else -%} coalesce(item ->> '$', '?') {%- endif %}
    {%- endset -%}
    nullif(
        array_to_string([{{ written(item) }} for item in {{ items }}][:{{ openai_audit.most_spoken() }}], ', ')
        || case when len({{ items }}) > {{ openai_audit.most_spoken() }} then ' and ' || cast(len({{ items }}) - {{ openai_audit.most_spoken() }} as text) || ' more' else '' end,
        ''
    )
{%- endmacro %}

{% macro snowflake__json_spoken(column, path, fields, written) -%}
    {%- set item -%}
        {% if fields -%} coalesce({% for field in fields %}cast(get(item.value, '{{ field }}') as varchar), {% endfor %}'?')
        {%- else -%} coalesce(cast(item.value as varchar), '?') {%- endif %}
    {%- endset -%}
    (
        select
            nullif(listagg(case when item.index < {{ openai_audit.most_spoken() }} then {{ written(item) }} end, ', ') within group (order by item.index), '')
            || case when count(*) > {{ openai_audit.most_spoken() }} then ' and ' || cast(count(*) - {{ openai_audit.most_spoken() }} as varchar) || ' more' else '' end
        from lateral flatten(input => get_path({{ column }}, '{{ path }}')) as item
    )
{%- endmacro %}

{% macro bigquery__json_spoken(column, path, fields, written) -%}
    {%- set text -%}
        {% if fields -%} coalesce({% for field in fields %}json_value(item, '$.{{ field }}'), {% endfor %}'?')
        {%- else -%} coalesce(json_value(item), '?') {%- endif %}
    {%- endset -%}
    (
        select
            string_agg(case when place < {{ openai_audit.most_spoken() }} then {{ written(text) }} end, ', ' order by place)
            || case when count(*) > {{ openai_audit.most_spoken() }} then ' and ' || cast(count(*) - {{ openai_audit.most_spoken() }} as string) || ' more' else '' end
        from unnest(json_query_array({{ column }}, '$.{{ path }}')) as item with offset as place
    )
{%- endmacro %}


{#- Whether an array has more than one item. -#}
{% macro json_has_several(column, path) -%}
    {{ return(adapter.dispatch('json_has_several', 'openai_audit')(column, path)) }}
{%- endmacro %}
{% macro default__json_has_several(column, path) -%} coalesce(array_length(json_query_array({{ column }}, '$.{{ path }}')) > 1, false) {%- endmacro %}
{% macro postgres__json_has_several(column, path) -%} ({{ column }} #> '{ {{- path | replace('.', ',') -}},1}' is not null) {%- endmacro %}
{% macro duckdb__json_has_several(column, path) -%} coalesce(len(json_extract({{ column }}, '$.{{ path }}[*]')) > 1, false) {%- endmacro %}
{% macro snowflake__json_has_several(column, path) -%} coalesce(array_size(get_path({{ column }}, '{{ path }}')) > 1, false) {%- endmacro %}


{#- A column of a raw table as JSON. In PostgreSQL an object that is null was loaded as
    JSON's null, and an array may be one of PostgreSQL's own. -#}
{% macro as_json(column, data_type) -%}
    {{ return(adapter.dispatch('as_json', 'openai_audit')(column, data_type)) }}
{%- endmacro %}
{% macro default__as_json(column, data_type) -%} {{ column }} {%- endmacro %}
{% macro postgres__as_json(column, data_type) -%}
    nullif({{ column if data_type == 'jsonb' else 'to_jsonb(' ~ column ~ ')' }}, 'null')
{%- endmacro %}


{#- Whether a text can be a key of JSON without quotes, as every known event type can. -#}
{% macro is_plain_name(text) -%} {{ return(adapter.dispatch('is_plain_name', 'openai_audit')(text)) }} {%- endmacro %}
{% macro default__is_plain_name(text) -%} regexp_like({{ text }}, '^[a-z][a-z0-9_.]*$') {%- endmacro %}
{% macro postgres__is_plain_name(text) -%} {{ text }} ~ '^[a-z][a-z0-9_.]*$' {%- endmacro %}
{% macro duckdb__is_plain_name(text) -%} regexp_full_match({{ text }}, '[a-z][a-z0-9_.]*') {%- endmacro %}
{% macro bigquery__is_plain_name(text) -%} regexp_contains({{ text }}, '^[a-z][a-z0-9_.]*$') {%- endmacro %}


{#- The texts of a group as a JSON array, nulls left out, in the order of a column. -#}
{% macro json_array(text, place) -%}
    {{ return(adapter.dispatch('json_array', 'openai_audit')(text, place)) }}
{%- endmacro %}

{% macro postgres__json_array(text, place) -%}
    coalesce(jsonb_agg({{ text }} order by {{ place }}) filter (where {{ text }} is not null), '[]'::jsonb)
{%- endmacro %}

{% macro duckdb__json_array(text, place) -%}
    to_json(coalesce(list({{ text }} order by {{ place }}) filter (where {{ text }} is not null), []))
{%- endmacro %}

{% macro snowflake__json_array(text, place) -%}
    cast(array_agg({{ text }}) within group (order by {{ place }}) as variant)
{%- endmacro %}

{% macro bigquery__json_array(text, place) -%}
    to_json(array_agg({{ text }} ignore nulls order by {{ place }}))
{%- endmacro %}


{#- Whether an item of an array, as text in lower case, meets a condition, which calls it
    `item`. False where there is no array. -#}
{% macro json_any(column, path, condition) -%}
    {{ return(adapter.dispatch('json_any', 'openai_audit')(column, path, condition)) }}
{%- endmacro %}

{% macro postgres__json_any(column, path, condition) -%}
    {%- set items -%} {{ column }} #> '{ {{- path | replace('.', ',') -}} }' {%- endset -%}
    coalesce(case when jsonb_typeof({{ items }}) = 'array' then exists (
        select 1
        from (select lower(trim(listed.value #>> '{}')) as item from jsonb_array_elements({{ items }}) as listed (value)) as items
        where {{ condition }}
    ) end, false)
{%- endmacro %}

{% macro duckdb__json_any(column, path, condition) -%}
    {#- A comprehension, because DuckDB 1.2 and 2.0 write a lambda differently. -#}
    coalesce(len([
        item
        for item in [lower(trim(listed ->> '$')) for listed in json_extract({{ column }}, '$.{{ path }}[*]')]
        if {{ condition }}
    ]) > 0, false)
{%- endmacro %}

{% macro snowflake__json_any(column, path, condition) -%}
    exists (
        select 1
        from (
            select lower(trim(cast(listed.value as varchar))) as item
            from lateral flatten(input => get_path({{ column }}, '{{ path }}')) as listed
        ) as items
        where {{ condition }}
    )
{%- endmacro %}

{% macro bigquery__json_any(column, path, condition) -%}
    exists (
        select 1
        from (select lower(trim(json_value(listed))) as item from unnest(json_query_array({{ column }}, '$.{{ path }}')) as listed) as items
        where {{ condition }}
    )
{%- endmacro %}


{#- The items of an array as rows, for a query's `from`: each as the text `item`, or the text
    of this field of it. No row where there is no array. -#}
{% macro json_items(column, path, field=none) -%}
    {{ return(adapter.dispatch('json_items', 'openai_audit')(column, path, field)) }}
{%- endmacro %}

{% macro postgres__json_items(column, path, field) -%}
    {%- set items -%} {{ column }} #> '{ {{- path | replace('.', ',') -}} }' {%- endset -%}
    cross join lateral (
        select {{ "listed.value ->> '" ~ field ~ "'" if field else "listed.value #>> '{}'" }} as item
        from jsonb_array_elements(case when jsonb_typeof({{ items }}) = 'array' then {{ items }} else '[]' end) as listed (value)
    ) as items
{%- endmacro %}

{% macro duckdb__json_items(column, path, field) -%}
    cross join lateral (
        select json_extract_string(listed.value, '${{ '.' ~ field if field }}') as item
        from (select unnest(json_extract({{ column }}, '$.{{ path }}[*]')) as value) as listed
    ) as items
{%- endmacro %}

{% macro snowflake__json_items(column, path, field) -%}
    cross join lateral (
        select cast({{ "get(listed.value, '" ~ field ~ "')" if field else 'listed.value' }} as varchar) as item
        from table(flatten(input => get_path({{ column }}, '{{ path }}'))) as listed
    ) as items
{%- endmacro %}

{% macro bigquery__json_items(column, path, field) -%}
    cross join unnest(array(
        select as struct json_value(listed, '${{ '.' ~ field if field }}') as item
        from unnest(json_query_array({{ column }}, '$.{{ path }}')) as listed
    )) as items
{%- endmacro %}
