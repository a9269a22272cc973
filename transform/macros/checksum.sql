{#- The checksum of ids that the tap's digests hold: the sum of the first eight
    hexadecimal digits of each id's MD5, which every warehouse can compute. -#}
{% macro ids_checksum(id) -%} {{ return(adapter.dispatch('ids_checksum', 'openai_audit')(id)) }} {%- endmacro %}

{% macro postgres__ids_checksum(id) -%}
    cast(sum(cast(cast('x' || substr(md5({{ id }}), 1, 8) as bit(32)) as bigint)) as bigint)
{%- endmacro %}

{% macro duckdb__ids_checksum(id) -%}
    cast(sum(cast('0x' || substr(md5({{ id }}), 1, 8) as bigint)) as bigint)
{%- endmacro %}

{% macro snowflake__ids_checksum(id) -%} sum(to_number(substr(md5({{ id }}), 1, 8), 'XXXXXXXX')) {%- endmacro %}

{% macro bigquery__ids_checksum(id) -%}
    sum(cast(concat('0x', substr(to_hex(md5({{ id }})), 1, 8)) as int64))
{%- endmacro %}
