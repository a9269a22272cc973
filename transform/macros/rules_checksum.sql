{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('e1ad74e4492873c2fb38c1fcc4e8db31a50516d14cbc77147fd94ebb858dae99') }} {%- endmacro %}
