{#- What somebody wrote, as a part of a sentence: short, and without the characters by
    which sentences and their templates say where a part begins and ends. -#}
{% macro spoken(text) -%} translate(left({{ text }}, 100), '“”{}', '""()') {%- endmacro %}

{% macro in_quotes(text) -%} '“' || {{ openai_audit.spoken(text) }} || '”' {%- endmacro %}

{% macro with_article(text) -%}
    case
        when lower(left({{ text }}, 1)) in ('a', 'e', 'i', 'o') or {{ text }} like 'SSO%' then 'an '
        else 'a '
    end || {{ text }}
{%- endmacro %}


{#- On one line, with no character that steers a terminal or turns the direction of writing. -#}
{% macro printable(text) -%} {{ return(adapter.dispatch('printable', 'openai_audit')(text)) }} {%- endmacro %}

{% macro default__printable(text) -%}
    regexp_replace({{ text }}, '[\x00-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]', '�', 'g')
{%- endmacro %}

{% macro postgres__printable(text) -%}
    regexp_replace({{ text }}, '[\u0001-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]', '�', 'g')
{%- endmacro %}

{% macro snowflake__printable(text) -%}
    regexp_replace({{ text }}, '[\u0001-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]', '�')
{%- endmacro %}

{% macro bigquery__printable(text) -%}
    regexp_replace({{ text }}, r'[\x00-\x1f\x7f-\x{9f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]', '�')
{%- endmacro %}
