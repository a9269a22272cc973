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
    'run_id': 'text',
}) }}
