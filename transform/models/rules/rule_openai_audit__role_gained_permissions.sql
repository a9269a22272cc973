with

roles as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        coalesce(object_id, actor, event_id) as entity,
        {{ openai_audit.gained_permissions(spoken=true) }} as gained,
        {{ openai_audit.gained_permissions("item not like '%read'") }} as does_more_than_read,
        lower(coalesce(
            {{ openai_audit.json_text('details', 'resource_type') }},
            {{ openai_audit.json_text('details', 'changes_requested.resource_type') }}
        )) as resource_type,
        lower({{ openai_audit.json_text('details', 'enabled') }}) as enabled
    from {{ ref('int_openai_audit__watched') }}
    where event_type in ('role.created', 'role.updated', 'role.bound_to_resource', 'tenant.custom_role.created', 'tenant.custom_role.updated')
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    case
        when event_type = 'role.bound_to_resource' then 'low'
        when gained is null then 'medium'
        when not does_more_than_read then 'low'
        when resource_type like '%project%' then 'medium'
        else 'high'
    end as severity,
    -- Of other types, the sentence of the event does not say what is gained.
    case when event_type like 'tenant.%' then '{event}; permissions added: ' || gained end as sentence
from roles
where
    (gained is not null or event_type like 'tenant.%')
    and coalesce(enabled, '') != 'false'
