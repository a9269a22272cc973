{#- Checks before any model is built: a schema without a table of the tap, or a table
    without a column that the models need, would result in empty or incomplete models. Only
    `dbt build` and `dbt run` check: commands that only compile, such as docs and unit
    tests, need no table. -#}

{#- The tables of the tap that were found: pairs of a schema and a table. -#}
{% macro found_tables() -%}
    {%- set found = [] -%}
    {%- if execute and flags.WHICH in ['build', 'run'] -%}
        {%- set tables = openai_audit.declared_tables() -%}
        {%- for place in openai_audit.source_places() -%}
            {%- set there = [] -%}
            {%- for name, columns in tables.items() -%}
                {%- set relation = adapter.get_relation(place.database, place.schema, name) -%}
                {%- if relation is not none -%}
                    {%- do openai_audit.check_columns(relation, columns) -%}
                    {%- do there.append((place.schema, name)) -%}
                {%- endif -%}
            {%- endfor -%}
            {%- if not there -%} {%- do openai_audit.refuse_empty_schema(place, tables) -%} {%- endif -%}
            {%- do found.extend(there) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found) }}
{%- endmacro %}

{#- Each table that is declared as a source, with the columns that the models need. -#}
{% macro declared_tables() -%}
    {%- set tables = {} -%}
    {%- for node in graph.sources.values() if node.package_name == 'openai_audit' -%}
        {%- do tables.update({node.identifier: node.columns.keys() | list}) -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro %}

{#- Where the tap's tables are: each a mapping of `database` and `schema`. -#}
{% macro source_places() -%}
    {%- set places = [] -%}
    {%- for place in var('openai_audit_sources') or [] -%}
        {%- do places.append({'database': place.get('database', target.database), 'schema': place['schema']}) -%}
    {%- endfor -%}
    {%- if not places -%}
        {%- set declared = source('openai_audit', 'audit_logs') -%}
        {%- do places.append({'database': declared.database, 'schema': declared.schema}) -%}
    {%- endif -%}
    {{ return(places) }}
{%- endmacro %}

{% macro refuse_empty_schema(place, tables) -%}
    {%- set schemas = openai_audit.schemas_with_a_table(place.database, tables.keys() | list) -%}
    {{ exceptions.raise_compiler_error(
        'The schema ' ~ place.schema ~ ' of the database ' ~ place.database ~ ' has no table of the tap: '
        ~ ('tables with such names are in ' ~ schemas | join(', ') if schemas else 'no other schema that dbt may read has one')
        ~ '. Load first, or correct the schema: docs/answers.md#in-a-dbt-project-of-your-own'
    ) }}
{%- endmacro %}

{% macro schemas_with_a_table(database, names) -%}
    {{ return(adapter.dispatch('schemas_with_a_table', 'openai_audit')(database, names)) }}
{%- endmacro %}

{% macro default__schemas_with_a_table(database, names) -%}
    {{ return(openai_audit.schemas_in(information_schema_name(database) ~ '.tables', names)) }}
{%- endmacro %}

{#- It has one for all databases that are attached. -#}
{% macro duckdb__schemas_with_a_table(database, names) -%}
    {%- set of_the_database = "(select * from information_schema.tables where table_catalog = " ~ openai_audit.text_literal(database) ~ ") as listed" -%}
    {{ return(openai_audit.schemas_in(of_the_database, names)) }}
{%- endmacro %}

{#- It lists the tables of one data set at a time only. -#}
{% macro bigquery__schemas_with_a_table(database, names) -%} {{ return([]) }} {%- endmacro %}

{% macro schemas_in(listed, names) -%}
    {%- set query -%}
        select distinct table_schema
        from {{ listed }}
        where lower(table_name) in {{ openai_audit.text_list(names) }}
        order by table_schema
    {%- endset -%}
    {{ return(run_query(query).columns[0].values() | list) }}
{%- endmacro %}

{% macro check_columns(relation, needed) -%}
    {%- set there = adapter.get_columns_in_relation(relation) | map(attribute='name') | map('lower') | list if needed else [] -%}
    {%- for column in needed if column not in there -%}
        {%- set parts = [] -%}
        {%- for name in there if name.startswith(column ~ '__') -%} {%- do parts.append(name) -%} {%- endfor -%}
        {{ exceptions.raise_compiler_error(
            'The table ' ~ relation.schema ~ '.' ~ relation.identifier ~ ' has no column ' ~ column ~ ', on which answers rest: '
            ~ (
                'it has ' ~ parts[0] ~ ', so flattening_enabled is set, of the tap or its loader. Unset it and load again with --full-refresh'
                if parts else
                'the selection or a stream map leaves it out, or the table is not of the tap. Let it in and load again with --full-refresh'
            )
        ) }}
    {%- endfor -%}
{%- endmacro %}
