{{ openai_audit.workspace_logs('audit') }}
