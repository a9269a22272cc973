with

files as (
    {{ openai_audit.raw('workspace_log_files', {
        'workspace_id': 'text',
        'file_id': 'text',
        'event_type': 'text',
        'file_end_time': 'timestamp',
        'events_emitted': 'bigint',
        'ids_checksum': 'bigint',
        'first_event_at': 'timestamp',
        'last_event_at': 'timestamp',
        'reason': 'text',
        '_sdc_extracted_at': 'timestamp',
    }) }}
)

select
    workspace_id as account_id,
    case upper(event_type) when 'AUTH_LOG' then 'workspace_auth' else 'workspace_audit' end as source,
    file_id,
    file_end_time as occurred_at,
    cast({{ dbt.date_trunc('day', 'file_end_time') }} as {{ dbt.type_timestamp() }}) as day,
    _sdc_extracted_at as loaded_at,
    events_emitted,
    ids_checksum,
    first_event_at,
    last_event_at,
    reason
from files
