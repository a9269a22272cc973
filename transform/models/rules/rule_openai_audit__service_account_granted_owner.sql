with

changed as (
    select
        event_id,
        account_id,
        occurred_at,
        coalesce(object_id, actor, event_id) as entity,
        {{ openai_audit.named_role() }} as role
    from {{ ref('int_openai_audit__watched') }}
    where event_type in ('service_account.created', 'service_account.updated', 'tenant.service_account.updated')
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    'high' as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from changed
where role like '%owner%' or role like '%admin%'
