{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('2c40c27db05ed7067f10df4f11266004116517e8b130eb181f8773165af230c4') }} {%- endmacro %}
