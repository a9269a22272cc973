{#- The cards of the rules, of this package and of `openai_audit_own_rules`, as dbt's graph has
    them: the `meta` of each rule's model, and its description. -#}
{%- set columns = ['title', 'severity', 'kind', 'window', 'description', 'mitre', 'false_positives', 'remediation'] -%}
with

rules as (
    {%- for rule, card in openai_audit.cards().items() %}
    select
        cast('{{ rule }}' as {{ dbt.type_string() }}) as rule,
        {%- for column in columns %}
        {%- set text = card.get(column) %}
        cast({{ 'null' if text is none else openai_audit.text_literal(text | trim) }} as {{ dbt.type_string() }}) as {{ 'calendar_window' if column == 'window' else column }},
        {%- endfor %}
        {{ 'true' if card.get('is_enabled', true) else 'false' }} as is_enabled
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    rule,
    title,
    severity,
    kind,
    calendar_window,
    is_enabled,
    description,
    mitre,
    false_positives,
    remediation
from rules
