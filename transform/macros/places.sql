{#- Geographic places and distances. -#}

{#- Whether these columns are a place. Many services write zero and zero for an unknown
    place. -#}
{% macro is_a_place() -%}
    (latitude between -90 and 90 and longitude between -180 and 180 and not (latitude = 0 and longitude = 0))
{%- endmacro %}

{#- The great-circle distance between two places in kilometers. -#}
{% macro kilometers_between(latitude, longitude, other_latitude, other_longitude) -%}
    {%- set degree = 0.017453292519943295 -%}
    12742 * asin(sqrt(least(
        1,
        power(sin(({{ other_latitude }} - {{ latitude }}) * {{ degree }} / 2), 2)
        + cos({{ latitude }} * {{ degree }}) * cos({{ other_latitude }} * {{ degree }})
        * power(sin(({{ other_longitude }} - {{ longitude }}) * {{ degree }} / 2), 2)
    )))
{%- endmacro %}
