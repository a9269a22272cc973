{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('5284aa5502c40e82f6257652af8e601bfeec41adb72fb2f04d88d6f59d31f62f') }} {%- endmacro %}
