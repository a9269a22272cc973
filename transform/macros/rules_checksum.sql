{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('27b6e794d7717ec7dea929cd04bcabbb62a77de681ae06ae35788f56a93d4125') }} {%- endmacro %}
