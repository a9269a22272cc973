{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('c4c63f03c1dc3a0d39672db07b4b6916ae88209332dabd4f94cadaa77e317e55') }} {%- endmacro %}
