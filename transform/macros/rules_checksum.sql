{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('8fdc0222e224be5f36859216af03fa4b83db00e51f7f1fdffe4c542f855ac5db') }} {%- endmacro %}
