select
    event_id,
    account_id,
    occurred_at,
    coalesce(actor, ip_address, event_id) as entity,
    'info' as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where {{ openai_audit.failed_to_sign_in() }}
