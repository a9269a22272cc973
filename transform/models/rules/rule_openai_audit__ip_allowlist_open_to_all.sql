select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, actor, event_id) as entity,
    'critical' as severity,
    '{event}; the list is now open to the internet' as sentence
from {{ ref('int_openai_audit__watched') }}
where {{ openai_audit.opens_allowlist() }}
