select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, actor, event_id) as entity,
    case when event_type like 'tenant.resource_share_grant.%' then 'medium' else 'low' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    event_type in (
        'tenant.resource_share_grant.created', 'tenant.resource_share_grant.accepted', 'tenant.resource_share_grant.updated',
        'tenant.resource_access.updated', 'checkpoint.permission.created', 'checkpoint_permission.created'
    )
