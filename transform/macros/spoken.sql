{#- User-supplied text as a part of a sentence: short, and without the characters that
    delimit parts in sentences and templates. -#}
{% macro spoken(text) -%} translate(left({{ text }}, 100), '“”{}', '""()') {%- endmacro %}

{% macro in_quotes(text) -%} '“' || {{ openai_audit.spoken(text) }} || '”' {%- endmacro %}

{% macro with_article(text) -%}
    case
        when lower(left({{ text }}, 1)) in ('a', 'e', 'i', 'o') or {{ text }} like 'SSO%' then 'an '
        else 'a '
    end || {{ text }}
{%- endmacro %}


{#- On one line, without control characters and characters that change the writing
    direction. -#}
{% macro printable(text) -%} {{ return(adapter.dispatch('printable', 'openai_audit')(text)) }} {%- endmacro %}

{% macro default__printable(text) -%}
    regexp_replace({{ text }}, '[\x00-\x1f\x7f-\x{9f}\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{feff}\x{ffa0}\x{fff9}-\x{fffb}\x{e0000}-\x{e0fff}]', '�', 'g')
{%- endmacro %}

{% macro postgres__printable(text) -%}
    regexp_replace({{ text }}, '[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]', '�', 'g')
{%- endmacro %}

{% macro snowflake__printable(text) -%}
    regexp_replace({{ text }}, '[\u0001-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]', '�')
{%- endmacro %}

{% macro bigquery__printable(text) -%}
    regexp_replace({{ text }}, r'[\x00-\x1f\x7f-\x{9f}\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{feff}\x{ffa0}\x{fff9}-\x{fffb}\x{e0000}-\x{e0fff}]', '�')
{%- endmacro %}
