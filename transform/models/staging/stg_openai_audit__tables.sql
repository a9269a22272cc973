{#- The existing tables of the tap. Every other staging model depends on this one, which
    checks the settings and the tables: if a check fails, nothing else is built. -#}
{%- do source('openai_audit', 'audit_logs') -%}
{{ openai_audit.check_settings() }}
{%- set found = openai_audit.found_tables() -%}
{%- for schema, name in found %}
select
    cast({{ openai_audit.text_literal(schema) }} as {{ dbt.type_string() }}) as source_relation,
    cast({{ openai_audit.text_literal(name) }} as {{ dbt.type_string() }}) as table_name
{{ 'union all' if not loop.last }}
{%- else %}
select
    cast(null as {{ dbt.type_string() }}) as source_relation,
    cast(null as {{ dbt.type_string() }}) as table_name
{{ openai_audit.from_nothing() }}
{%- endfor %}
