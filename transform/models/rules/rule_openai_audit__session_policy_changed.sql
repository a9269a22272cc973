select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, account_id, event_id) as entity,
    case when event_type like '%.created' then 'medium' else 'high' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    (
        event_type like 'tenant.session_policy.%'
        or event_type like 'tenant.principal_authentication_policy.%'
    )
    -- To resolve a policy is to look up which one applies to a user: nothing changes.
    and event_type not like '%.resolved'
