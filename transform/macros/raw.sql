{#- A table of the tap as a query: these columns, each of its type, and `source_relation`,
    the schema that a row is from. A table that is not there is an empty relation, a column
    that is not there is null: streams are selected as needed, and an older tap has fewer.
    A column that is named like a word of SQL gets an underscore at its end.

    This is the only place that looks for what is there. Without a database, as when dbt
    parses, and in unit tests, everything is. -#}
{% macro raw(name, columns) -%}
    {#- A dependency on the model that checks the tables, so that it is built first. -#}
    {%- do ref('stg_openai_audit__tables') -%}
    {%- set queries = [] -%}
    {%- for relation in openai_audit.raw_relations(name) -%}
        {%- do queries.append(openai_audit.raw_query(relation, columns)) -%}
    {%- endfor -%}
    {%- if not queries -%}
        {%- do queries.append(openai_audit.raw_query(none, columns)) -%}
    {%- endif -%}
    {{ queries | join('\n    union all\n    ') }}
{%- endmacro %}

{#- The relations that hold a table of the tap: none where it was not loaded. -#}
{% macro raw_relations(name) -%}
    {%- set declared = source('openai_audit', name) -%}
    {%- set relations = [] -%}
    {%- if not execute or declared.schema is none -%}
        {%- do relations.append(declared) -%}
    {%- else -%}
        {%- for place in openai_audit.source_places() -%}
            {%- do relations.append(adapter.get_relation(place.database, place.schema, declared.identifier)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(relations | reject('none') | list) }}
{%- endmacro %}

{% macro raw_query(relation, columns) -%}
    {%- set there = openai_audit.columns_of(relation, columns) -%}
    select
        {%- for column, kind in columns.items() %}
        {% if column not in there -%}
            cast(null as {{ openai_audit.type_of(kind) }})
        {%- elif kind == 'json' -%}
            {{ openai_audit.as_json(there[column].name, there[column].type) }}
        {%- elif kind == 'timestamp' -%}
            {{ openai_audit.utc(there[column].name, there[column].type) }}
        {%- else -%}
            cast({{ there[column].name }} as {{ openai_audit.type_of(kind) }})
        {%- endif %} as {{ column ~ ('_' if column in ['timestamp', 'user', 'group']) }},
        {%- endfor %}
        cast({{ openai_audit.text_literal(relation.schema) if relation.schema else 'null' }} as {{ dbt.type_string() }}) as source_relation
    {{ 'from ' ~ relation if relation else openai_audit.from_nothing() }}
{%- endmacro %}

{#- The columns that a relation has, each with its quoted name and its type. -#}
{% macro columns_of(relation, wanted) -%}
    {%- set there = {} -%}
    {%- if relation and execute and relation.schema is not none -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}
            {%- do there.update({column.name | lower: {'name': adapter.quote(column.name), 'type': column.dtype}}) -%}
        {%- endfor -%}
    {%- elif relation -%}
        {%- for column in wanted -%}
            {%- do there.update({column: {'name': adapter.quote(column), 'type': ''}}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(there) }}
{%- endmacro %}

{#- What follows the columns of a query that has no rows. -#}
{% macro from_nothing() -%} {{ return(adapter.dispatch('from_nothing', 'openai_audit')()) }} {%- endmacro %}
{% macro default__from_nothing() -%} where false {%- endmacro %}
{% macro bigquery__from_nothing() -%} from unnest([1]) where false {%- endmacro %}
