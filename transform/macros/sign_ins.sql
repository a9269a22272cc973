{#- Conditions for sign-ins to the API platform and to a ChatGPT workspace, whose event
    types differ. None of the conditions is ever null. -#}

{#- Whether an event is a failed sign-in. -#}
{% macro failed_to_sign_in() -%}
    (coalesce(
        event_type in ('login.failed', 'login_failed')
        or (event_type in ('login.succeeded', 'login_success') and outcome in ('failed', 'blocked')),
        false
    ))
{%- endmacro %}

{#- Whether an event is a successful sign-in. -#}
{% macro signed_in() -%}
    (coalesce(event_type in ('login.succeeded', 'login_success') and coalesce(outcome, 'succeeded') not in ('failed', 'blocked'), false))
{%- endmacro %}
