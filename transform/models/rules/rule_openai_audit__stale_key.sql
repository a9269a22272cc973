{%- set days = openai_audit.parameter('stale_key', 'days', 90) -%}
with

keys as (
    select
        organization_id,
        access_kind,
        principal_id,
        owner_is_gone,
        coalesce(last_seen_at, since) as idle_since,
        coalesce(last_seen_at, since) < {{ dbt.dateadd('day', -1 * days, openai_audit.now()) }} as is_idle
    from {{ ref('openai_audit__access') }}
    where access_kind in ('api_key', 'admin_api_key')
)

select
    organization_id as account_id,
    case when is_idle then {{ dbt.dateadd('day', days, 'idle_since') }} else idle_since end as occurred_at,
    access_kind || ' ' || principal_id as entity,
    case access_kind when 'admin_api_key' then 'high' else 'medium' end as severity,
    case
        when owner_is_gone then '{object} is still there, and its owner is not'
        else '{object} was not used for {{ days }} days'
    end as sentence,
    access_kind as object_kind,
    principal_id as object_id
from keys
where owner_is_gone or is_idle
