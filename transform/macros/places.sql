{#- Where on the earth something is. -#}

{#- Whether these columns are a place. Zero and zero are what many services write for a place
    that they do not know. -#}
{% macro is_a_place() -%}
    (latitude between -90 and 90 and longitude between -180 and 180 and not (latitude = 0 and longitude = 0))
{%- endmacro %}

{#- The way from one place to another in kilometers, along the surface of a ball. -#}
{% macro kilometers_between(latitude, longitude, other_latitude, other_longitude) -%}
    {%- set degree = 0.017453292519943295 -%}
    12742 * asin(sqrt(least(
        1,
        power(sin(({{ other_latitude }} - {{ latitude }}) * {{ degree }} / 2), 2)
        + cos({{ latitude }} * {{ degree }}) * cos({{ other_latitude }} * {{ degree }})
        * power(sin(({{ other_longitude }} - {{ longitude }}) * {{ degree }} / 2), 2)
    )))
{%- endmacro %}
