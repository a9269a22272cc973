select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, account_id, event_id) as entity,
    case when event_type in ('tenant.policy.created', 'tenant.policy.attached') then 'medium' else 'high' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    event_type like 'tenant.third_party_app_policy.%'
    or event_type like 'tenant.product_access_policy.%'
    or event_type like 'tenant.policy.%'
