{#- What the rules are made of, written by `make generate`. -#}
{% macro checksum_of_rules() -%} {{ return('c9cbdbccde47ec923027ad0ff415a1d89bcc724651fdbe8bd60ea3bded14562d') }} {%- endmacro %}
