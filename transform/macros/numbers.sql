{#- The numbers from 0 to 9999 as `n`, by which a calendar of 27 years is made. -#}
{% macro ten_thousand() -%}
    {%- set all = [] -%}
    {%- for d in range(10) -%} {%- do all.append('select ' ~ d ~ ' as d') -%} {%- endfor -%}
    {%- set digits = '(' ~ all | join(' union all ') ~ ')' -%}
    select thousands.d * 1000 + hundreds.d * 100 + tens.d * 10 + ones.d as n
    from {{ digits }} as thousands
    cross join {{ digits }} as hundreds
    cross join {{ digits }} as tens
    cross join {{ digits }} as ones
{%- endmacro %}
