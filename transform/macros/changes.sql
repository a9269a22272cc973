{#- Conditions that several rules share. A general rule excludes what a special rule
    reports, with the same condition, so that each change is reported once. None of the
    conditions is ever null. -#}

{#- Whether an event is an act of administration. In an organization that is everything
    except sign-ins, sign-outs, answers and look-ups; in a workspace, where people also
    work, only these actions. -#}
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

{#- Whether API call logging is disabled or limited. The event does not contain the previous
    setting. -#}
{% macro reduces_logging() -%}
    (
        event_type = 'organization.updated'
        and coalesce(
            lower(setting) != 'enabled_for_all_projects',
            {{ openai_audit.json_text('details', 'changes_requested.api_call_logging_project_ids') }} is not null
        )
    )
{%- endmacro %}

{#- Whether one of the address ranges at a path is so wide that it allows every address: no
    owner has more than a /8 of IPv4 or a /16 of IPv6. All of IPv4 can be written as an IPv6
    range. -#}
{% macro lets_in_everybody(path) -%}
    {%- set prefix = openai_audit.number(dbt.split_part('item', "'/'", 2), 'bigint') -%}
    {{ openai_audit.json_any('details', path, "(item in ('*', 'any') or " ~ prefix ~ " < case when item like '_:ffff:%' or item like '0:0:0:0:0:ffff:%' then 104 when item like '%:%' then 16 else 8 end)") }}
{%- endmacro %}

{#- Whether an event changes an IP allow list of the API organization so that it allows
    every address. -#}
{% macro opens_allowlist() -%}
    (event_type in ('ip_allowlist.created', 'ip_allowlist.updated') and {{ openai_audit.lets_in_everybody('allowed_ips') }})
{%- endmacro %}

{#- Whether one of a key's scopes meets a condition on `item`. An update has them in
    `changes_requested`, or sometimes in `data` like a creation. -#}
{% macro any_scope(condition) -%}
    (
        event_type in ('api_key.created', 'api_key.updated')
        and (
            {{ openai_audit.json_any('details', 'data.scopes', condition) }}
            or {{ openai_audit.json_any('details', 'changes_requested.scopes', condition) }}
        )
    )
{%- endmacro %}

{#- Whether a key is an admin key: only admin keys can have these scopes. -#}
{% macro is_of_an_admin_key() -%}
    {{ openai_audit.any_scope("(item like 'api.management.%' or item like 'api.audit_logs.%' or item like 'api.usage.%')") }}
{%- endmacro %}

{#- The role in an event, in lower case. For types without documented details, all likely
    fields are checked. -#}
{% macro named_role() -%}
    {%- set places = [] -%}
    {%- for path in ['role', 'new_role', 'role_name', 'role_id', 'data.role_name', 'data.role_id', 'changes_requested.role_name'] -%}
        {%- do places.append(openai_audit.json_text('details', path)) -%}
    {%- endfor -%}
    lower(coalesce(role, {{ places | join(', ') }}))
{%- endmacro %}

{#- The permissions that a role gains, as text, or as a part of a
    sentence; null for none. With a condition on `item`,
    whether one of them meets it. -#}
{% macro gained_permissions(condition=none, spoken=false) -%}
    {%- set found = [] -%}
    {%- for path in ['permissions', 'permissions_added', 'data.permissions', 'changes_requested.permissions_added', 'changes_requested.permissions'] -%}
        {%- do found.append((openai_audit.json_spoken('details', path) if spoken else openai_audit.json_joined('details', path)) if condition is none else openai_audit.json_any('details', path, condition)) -%}
    {%- endfor -%}
    {{ 'coalesce(' ~ found | join(', ') ~ ')' if condition is none else '(' ~ found | join(' or ') ~ ')' }}
{%- endmacro %}
