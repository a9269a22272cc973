{#- The events that the rules of this run judge, and those of the 40 days before. -#}
{{ openai_audit.remembered_events(openai_audit.being_judged()) }}
-- depends_on: {{ ref('int_openai_audit__judged') }}, {{ ref('int_openai_audit__watched') }}
