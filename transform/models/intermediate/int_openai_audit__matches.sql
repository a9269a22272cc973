{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        contract={'enforced': true},
        full_refresh=false,
        indexes=[{'columns': ['event_id']}, {'columns': ['account_id', 'occurred_at']}] if target.type == 'postgres' else [],
        pre_hook=[
            "{{ openai_audit.forget_what_is_judged_again() }}",
            "{{ openai_audit.with_memory_for_windows() }}",
        ],
        post_hook="{{ openai_audit.note_that_it_is_judged() }}",
    )
}}
{#- Of events that are judged all matches are written anew, of states all in each run. A full
    refresh has all events judged again; to drop the table would lose what is not. -#}
{%- set rules_of_events = [
    'admin_activity_from_new_client',
    'admin_activity_from_unknown_network',
    'admin_api_key_changed',
    'admin_role_assigned',
    'api_call_logging_reduced',
    'api_key_with_broad_scopes',
    'app_policy_changed',
    'brute_force_succeeded',
    'credential_changed',
    'credential_stuffing',
    'customer_managed_key_removed',
    'dormant_actor_active',
    'impossible_travel',
    'ip_allowlist_open_to_all',
    'ip_allowlist_weakened',
    'login_failed',
    'mass_credential_creation',
    'mass_deletion',
    'mtls_certificate_replaced',
    'multiple_users_from_one_ip',
    'new_actor',
    'new_member_created_credentials',
    'organization_settings_changed',
    'owner_added_or_invited',
    'password_spraying',
    'project_changed',
    'rate_limit_raised',
    'resource_shared',
    'role_gained_permissions',
    'scim_directory_changed',
    'scim_enabled_or_disabled',
    'security_control_toggled',
    'self_granted_role',
    'service_account_granted_owner',
    'session_policy_changed',
    'spend_control_changed',
    'sso_changed',
    'tunnel_created',
    'unknown_event_type',
    'unknown_external_storage_added',
    'unusual_login',
    'workload_identity_changed',
    'workspace_control_changed',
] -%}
{%- set rules_of_states = [
    'log_gap',
    'orphaned_api_key',
    'unused_api_key',
] -%}
{%- set settings = openai_audit.settings_of_rules() -%}

with

matches as (
    {%- for rule in rules_of_events + rules_of_states %}
    select
        '{{ rule }}' as rule,
        account_id,
        entity,
        {% if settings.get(rule, {}).get('severity') -%}
            {{ openai_audit.text_literal(settings[rule].severity) }} as severity,
        {%- else -%}
            severity,
        {%- endif %}
        occurred_at,
        {% if rule in rules_of_events -%}
        event_id,
        sentence,
        cast(null as {{ dbt.type_string() }}) as object_kind,
        cast(null as {{ dbt.type_string() }}) as object_id
        {%- else -%}
        cast(null as {{ dbt.type_string() }}) as event_id,
        sentence,
        object_kind,
        object_id
        {%- endif %}
    from {{ ref('rule_openai_audit__' ~ rule) }}
    {% if rule in rules_of_events -%} where {{ openai_audit.is_judged(openai_audit.being_judged()) }} {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

-- A rule may find an event by several ways.
select
    rule,
    account_id,
    entity,
    severity,
    occurred_at,
    event_id,
    max(sentence) as sentence,
    object_kind,
    object_id
from matches
where entity is not null
group by rule, account_id, entity, severity, occurred_at, event_id, object_kind, object_id
-- depends_on: {{ ref('int_openai_audit__judged') }}, {{ ref('int_openai_audit__watched') }}
