{#- Both feeds may contain the same key, the tenant's without its id, so the entity of a
    finding is the actor. -#}
select
    event_id,
    account_id,
    occurred_at,
    coalesce(actor, object_id, event_id) as entity,
    case when event_type like '%.deleted' then 'low' else 'high' end as severity,
    case when event_type like 'api_key.%' then '{event}; it is an admin key' end as sentence
from {{ ref('int_openai_audit__watched') }}
where
    event_type like 'tenant.admin_api_key.%'
    or {{ openai_audit.is_of_an_admin_key() }}
