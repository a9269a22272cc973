{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('de887becf4a974b5e4466d30114a1737b0e090f5bf17687526a6e29698c43702') }} {%- endmacro %}
