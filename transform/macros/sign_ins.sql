{#- What is a sign-in: to the API platform or, with other names, to a ChatGPT workspace. None
    of these conditions is ever null. -#}

{#- Whether somebody tried to sign in and did not get in. -#}
{% macro failed_to_sign_in() -%}
    (coalesce(
        event_type in ('login.failed', 'login_failed')
        or (event_type in ('login.succeeded', 'login_success') and outcome in ('failed', 'blocked')),
        false
    ))
{%- endmacro %}

{#- Whether somebody got in. -#}
{% macro signed_in() -%}
    (coalesce(event_type in ('login.succeeded', 'login_success') and coalesce(outcome, 'succeeded') not in ('failed', 'blocked'), false))
{%- endmacro %}
