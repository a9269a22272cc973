{#- What several rules about changes ask. A general rule leaves to a special one what that
    one tells better, so both ask the same question: each change is told once. None of
    these conditions is ever null. -#}

{#- Whether somebody administers. In an organization that is all but signing in and out,
    answers and look-ups; in a workspace, where people also do their work, these actions. -#}
{% macro administers() -%}
    {%- set no_acts = [
        'invite.accepted', 'tenant.membership.accepted', 'tenant.membership.declined', 'tenant.user.looked_up',
        'tenant.resource_share_grant.accepted', 'tenant.resource_share_grant.declined',
        'tenant.principal_authentication_policy.resolved', 'tenant.workload_identity.access_token.issued',
    ] -%}
    {%- set of_workspaces = [
        'WORKSPACE_SET_%', 'WORKSPACE_TOGGLE_%', 'USER_%', 'GROUP_%', 'INVITE_USERS', 'INVITE_SET_%', 'DOMAIN_%', 'SAML_%',
        'SCIM_%', 'SUBSCRIPTION_SET_%', '%_POLICY', 'APP_ALLOW_%', 'CUSTOM_GPT_ALLOW_%', 'CUSTOM_GPT_APPROVE_%',
        'PERSONAL_ACCESS_TOKEN_CREATE', 'ADD_WORKSPACE_%', 'DELETE_%', 'ISOLATE_%', 'UNPUBLISH_%',
    ] -%}
    (coalesce(
        case
            when workspace_id is null
                then event_type not like 'login.%' and event_type not like 'logout.%' and event_type not in {{ openai_audit.text_list(no_acts) }}
            else
                {% for action in of_workspaces -%}
                    event_type like '{{ action }}' {{ 'or ' if not loop.last }}
                {%- endfor %}
        end,
        false
    ))
{%- endmacro %}

{#- Whether less of what is sent to the API is logged than all. What was logged before is
    not in the event. -#}
{% macro reduces_logging() -%}
    (
        event_type = 'organization.updated'
        and coalesce(
            lower(setting) != 'enabled_for_all_projects',
            {{ openai_audit.json_text('details', 'changes_requested.api_call_logging_project_ids') }} is not null
        )
    )
{%- endmacro %}

{#- Whether one of the address ranges at a path is so wide that it stands for everybody: no
    owner has more of IPv4 than a /8, or of IPv6 than a /16. All of IPv4 can be written as
    a range of IPv6. -#}
{% macro lets_in_everybody(path) -%}
    {%- set prefix = openai_audit.number(dbt.split_part('item', "'/'", 2), 'bigint') -%}
    {{ openai_audit.json_any('details', path, "(item in ('*', 'any') or " ~ prefix ~ " < case when item like '_:ffff:%' or item like '0:0:0:0:0:ffff:%' then 104 when item like '%:%' then 16 else 8 end)") }}
{%- endmacro %}

{#- Whether these changes are of a list of the API organization that lets in everybody. -#}
{% macro opens_allowlist() -%}
    (event_type in ('ip_allowlist.created', 'ip_allowlist.updated') and {{ openai_audit.lets_in_everybody('allowed_ips') }})
{%- endmacro %}

{#- Whether one of a key's scopes meets a condition on `item`. An update has them among
    what was requested; some write it like a creation. -#}
{% macro any_scope(condition) -%}
    (
        event_type in ('api_key.created', 'api_key.updated')
        and (
            {{ openai_audit.json_any('details', 'data.scopes', condition) }}
            or {{ openai_audit.json_any('details', 'changes_requested.scopes', condition) }}
        )
    )
{%- endmacro %}

{#- Whether a key is an admin key, by its scopes: no other can have these. -#}
{% macro is_of_an_admin_key() -%}
    {{ openai_audit.any_scope("(item like 'api.management.%' or item like 'api.audit_logs.%' or item like 'api.usage.%')") }}
{%- endmacro %}

{#- The role that an event names, in lower case: for types without documented details
    wherever it may stand. -#}
{% macro told_role() -%}
    {%- set places = [] -%}
    {%- for path in ['role', 'new_role', 'role_name', 'role_id', 'data.role_name', 'data.role_id', 'changes_requested.role_name'] -%}
        {%- do places.append(openai_audit.json_text('details', path)) -%}
    {%- endfor -%}
    lower(coalesce(role, {{ places | join(', ') }}))
{%- endmacro %}

{#- The permissions that a role gains, as text; null for none. A condition on `item` asks
    whether one of them meets it. -#}
{% macro gained_permissions(condition=none) -%}
    {%- set found = [] -%}
    {%- for path in ['permissions', 'permissions_added', 'data.permissions', 'changes_requested.permissions_added', 'changes_requested.permissions'] -%}
        {%- do found.append(openai_audit.json_joined('details', path) if condition is none else openai_audit.json_any('details', path, condition)) -%}
    {%- endfor -%}
    {{ 'coalesce(' ~ found | join(', ') ~ ')' if condition is none else '(' ~ found | join(' or ') ~ ')' }}
{%- endmacro %}
