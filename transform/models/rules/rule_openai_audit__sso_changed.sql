select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, account_id, event_id) as entity,
    case when event_type like '%.started' then 'low' else 'critical' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where event_type like 'tenant.sso%' or event_type like 'tenant.domains.%'
