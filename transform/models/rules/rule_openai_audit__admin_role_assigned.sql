with

assignments as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        coalesce(object_id, actor, event_id) as entity,
        -- The id of an assignment begins with that of its role, and a role of OpenAI's own
        -- has its name in its id: role_assignment_role-api-organization-owner__…
        coalesce(lower({{ openai_audit.json_text('details', 'id') }}), '') || ' ' || coalesce({{ openai_audit.named_role() }}, '') as role,
        lower({{ openai_audit.json_text('details', 'resource_type') }}) as resource_type
    from {{ ref('int_openai_audit__watched') }}
    where event_type in ('role.assignment.created', 'tenant.role_assignment.created', 'tenant.resource_role_assignment.created')
),

rated as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        entity,
        role like '%owner%' as is_owner,
        role like '%owner%' or role like '%admin%' as is_known,
        event_type = 'tenant.resource_role_assignment.created'
        or role like '%api-project%'
        or coalesce(resource_type like '%project%', false) as is_of_a_part
    from assignments
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    case
        when not is_known then 'low'
        when is_of_a_part then 'medium'
        when is_owner then 'critical'
        else 'high'
    end as severity,
    case
        when is_owner then '{event}: an owner role'
        when is_known then '{event}: an administrator role'
    end as sentence
from rated
where is_known or event_type = 'tenant.role_assignment.created'
