select
    event_id,
    account_id,
    occurred_at,
    coalesce(account_id, event_id) as entity,
    case when lower(setting) = 'disabled' then 'critical' else 'high' end as severity,
    case when setting is null then '{event}: which projects log API calls' end as sentence
from {{ ref('int_openai_audit__watched') }}
where {{ openai_audit.reduces_logging() }}
