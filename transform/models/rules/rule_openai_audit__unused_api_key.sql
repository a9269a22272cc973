{%- set days = openai_audit.parameter('unused_api_key', 'days', 90) -%}
with

keys as (
    select
        organization_id,
        access_kind,
        principal_id,
        coalesce(last_seen_at, since) as idle_since
    from {{ ref('openai_audit__access') }}
    -- orphaned_api_key reports keys without an owner.
    where access_kind in ('api_key', 'admin_api_key') and not coalesce(owner_is_gone, false)
)

select
    organization_id as account_id,
    {{ dbt.dateadd('day', days, 'idle_since') }} as occurred_at,
    access_kind || ' ' || principal_id as entity,
    case access_kind when 'admin_api_key' then 'high' else 'medium' end as severity,
    '{object} has not been used for {{ days }} days' as sentence,
    access_kind as object_kind,
    principal_id as object_id
from keys
where idle_since < {{ dbt.dateadd('day', -1 * days, openai_audit.now()) }}
