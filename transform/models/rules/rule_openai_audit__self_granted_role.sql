{#- Types that add a role or an access, and types that replace a role. Accepting an
    invitation may be logged as adding oneself, so `user.added` is in neither. -#}
{%- set adding = [
    'role.assignment.created', 'tenant.role_assignment.created', 'tenant.resource_role_assignment.created',
    'tenant.group.member.added', 'tenant.resource_access.updated', 'tenant.resource_share_grant.created',
    'GROUP_ADD_USERS', 'ADD_WORKSPACE_DIRECTORY_GROUP_USER',
] -%}
{%- set replacing = ['user.updated', 'service_account.updated', 'tenant.user.updated', 'tenant.service_account.updated', 'USER_ROLE_UPDATED'] -%}
{#- Where the recipient may be; few of these types have documented details. -#}
{%- set places = ['object_id'] -%}
{%- for path in ['principal_id', 'user_id', 'member_id', 'user_email', 'email', 'data.principal_id', 'data.user_id', 'data.member_id', 'data.email'] -%}
    {%- do places.append(openai_audit.json_text('details', path)) -%}
{%- endfor -%}
{%- set lists = ['user_ids', 'member_ids', 'emails', 'data.user_ids', 'data.emails'] -%}
with

grants as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        outcome,
        actor,
        -- The id of an assignment begins with that of its role.
        case when event_type like '%assignment%' then coalesce(lower({{ openai_audit.json_text('details', 'id') }}), '') else '' end
        || ' ' || coalesce({{ openai_audit.named_role() }}, '') as role
    from {{ ref('int_openai_audit__watched') }}
    where
        event_type in {{ openai_audit.text_list(adding + replacing) }}
        and (
            {%- for place in places %}
            lower({{ place }}) in (lower(actor_id), actor_email) or
            {%- endfor %}
            {%- for list in lists %}
            {{ openai_audit.json_any('details', list, 'item in (lower(actor_id), actor_email)') }} {{ 'or' if not loop.last }}
            {%- endfor %}
        )
),

rated as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        outcome,
        actor,
        role,
        (role like '%reader%' or role like '%member%' or role like '%viewer%' or role like '%standard%')
        and role not like '%owner%' and role not like '%admin%' as is_least
    from grants
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    case
        when outcome in ('blocked', 'failed') then 'low'
        when is_least then 'medium'
        else 'high'
    end as severity,
    '{event}; actor and recipient are the same' as sentence
from rated
where
    event_type in {{ openai_audit.text_list(adding) }}
    -- Replacing a role with a basic one is not a gain.
    or (trim(role) != '' and not is_least)
