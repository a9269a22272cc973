{{ openai_audit.workspace_logs('auth') }}
