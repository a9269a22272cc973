select
    event_id,
    account_id,
    occurred_at,
    coalesce(
        object_id,
        left({{ openai_audit.json_joined('details', 'configs', ['id', 'name']) }}, 200),
        actor,
        event_id
    ) as entity,
    case event_type when 'ip_allowlist.created' then 'medium' when 'ip_allowlist.updated' then 'high' else 'critical' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    event_type in ('ip_allowlist.created', 'ip_allowlist.deleted', 'ip_allowlist.config.deactivated', 'ip_allowlist.updated')
    and not {{ openai_audit.opens_allowlist() }}
