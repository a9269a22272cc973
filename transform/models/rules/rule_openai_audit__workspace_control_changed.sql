{%- set sso_providers = openai_audit.parameter('workspace_control_changed', 'sso_providers', []) -%}
{#- The details of these actions are not documented, so the severity depends on the action,
    and on details only where their meaning is clear. -#}
{%- set severities = {
    'critical': ['SAML_CREATE_CONNECTION'],
    'high': [
        'APP_UPDATE_ACCESS_POLICY', 'CUSTOM_GPT_ALLOW_THIRD_PARTY', 'CUSTOM_GPT_APPROVE_THIRD_PARTY_FOR_WORKSPACE',
        'DOMAIN_CREATE', 'DOMAIN_DELETE', 'INVITE_SET_ALLOW_EXTERNAL_DOMAINS', 'INVITE_SET_AUTO_ACCEPT_JOIN_REQUESTS',
        'PLUGIN_UPDATE_INSTALLATION_POLICY', 'WORKSPACE_SET_AUTO_PROVISION', 'WORKSPACE_SET_COMPLIANCE_API_IP_ALLOWLIST',
        'WORKSPACE_SET_IP_ALLOWLIST', 'WORKSPACE_SET_POLICY',
    ],
    'medium': [
        'CUSTOM_GPT_SET_ALLOWED_ACTION_DOMAINS', 'PERSONAL_ACCESS_TOKEN_CREATE', 'SCIM_SET_EMAIL_INVITES_ENABLED',
        'SITE_UPDATE_ACCESS_POLICY', 'USER_ROLE_UPDATED', 'WORKSPACE_SET_IS_DISCOVERABLE', 'WORKSPACE_SET_SHARING_PERMISSION',
        'WORKSPACE_SET_SYSTEM_INSTRUCTION',
    ],
    'low': ['APP_ALLOW_USER', 'APP_PUBLISH', 'SKILL_WORKSPACE_ACCESS', 'WORKSPACE_TOGGLE_FEATURE'],
} -%}
{%- set ip_lists = ['WORKSPACE_SET_IP_ALLOWLIST', 'WORKSPACE_SET_COMPLIANCE_API_IP_ALLOWLIST'] -%}
{%- set openings = [
    'INVITE_SET_ALLOW_EXTERNAL_DOMAINS', 'INVITE_SET_AUTO_ACCEPT_JOIN_REQUESTS', 'WORKSPACE_SET_AUTO_PROVISION',
    'SCIM_SET_EMAIL_INVITES_ENABLED', 'WORKSPACE_SET_IS_DISCOVERABLE',
] -%}
with

workspace_events as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        outcome,
        source,
        actor,
        {{ openai_audit.named_role() }} as role,
        lower({{ openai_audit.json_text('details', 'enabled') }}) as enabled,
        lower(trim({{ openai_audit.json_text('details', 'auth_provider_name') }})) as provider,
        {{ openai_audit.lets_in_everybody('ip_ranges') }} or {{ openai_audit.lets_in_everybody('allowed_ips') }} as lets_in_everybody,
        coalesce(
            {{ openai_audit.json_text('details', 'user_id') }},
            {{ openai_audit.json_text('details', 'user_email') }}
        ) as person
    from {{ ref('int_openai_audit__watched') }}
    where workspace_id is not null and event_type is not null
),

rated as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        outcome,
        actor,
        person,
        case
            {%- if sso_providers %}
            when source = 'workspace_auth' and event_type = 'login_success' then case
                when provider not in {{ openai_audit.text_list(sso_providers | map('lower')) }}
                    then case when role like '%owner%' or role like '%admin%' then 'high' else 'medium' end
            end
            {%- endif %}
            when source = 'workspace_auth' then null
            when event_type in ('USER_ROLE_UPDATED', 'INVITE_USERS') and role like '%owner%' then 'critical'
            when event_type in ('USER_ROLE_UPDATED', 'INVITE_USERS') and role like '%admin%' then 'high'
            when event_type = 'USER_ROLE_UPDATED' and role is not null then null
            when event_type in {{ openai_audit.text_list(ip_lists) }} and (enabled = 'false' or lets_in_everybody) then 'critical'
            when event_type in {{ openai_audit.text_list(openings) }} and enabled = 'false' then 'low'
            {%- for severity, actions in severities.items() %}
            when event_type in {{ openai_audit.text_list(actions) }} then '{{ severity }}'
            {%- endfor %}
        end as severity
    from workspace_events
)

select
    event_id,
    account_id,
    occurred_at,
    case
        when event_type in ('USER_ROLE_UPDATED', 'INVITE_USERS', 'APP_ALLOW_USER') then coalesce(person, actor, event_type)
        when event_type in ('PERSONAL_ACCESS_TOKEN_CREATE', 'login_success') then coalesce(actor, event_type)
        else event_type
    end as entity,
    case when outcome in ('blocked', 'failed') then 'low' else severity end as severity,
    case when event_type = 'login_success' then '{event}, without single sign-on' end as sentence
from rated
where severity is not null
