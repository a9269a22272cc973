{{ config(post_hook="{{ openai_audit.note_what_is_judged() }}") }}
{#- The events that the rules of this run judge, and those of the two days before. A rule that
    needs to know more of the past reads `int_openai_audit__events`. -#}
{{ openai_audit.watched_events(openai_audit.not_judged()) }}
-- depends_on: {{ ref('int_openai_audit__judged') }}
