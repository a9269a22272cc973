{#- All reference streams with the same columns. For each: its kinds in names and in access,
    its columns, and expressions for columns with another name. -#}
{%- set streams = {
    'users': {
        'kind': 'user',
        'columns': {'id': 'text', 'name': 'text', 'email': 'text', 'role': 'text', 'added_at': 'timestamp'},
        'instead': {'since': 'added_at'},
    },
    'projects': {
        'kind': 'project',
        'columns': {'id': 'text', 'name': 'text', 'status': 'text', 'created_at': 'timestamp', 'archived_at': 'timestamp'},
        'instead': {'since': 'created_at', 'ended_at': 'archived_at'},
    },
    'invites': {
        'kind': 'invite',
        'columns': {'id': 'text', 'email': 'text', 'role': 'text', 'status': 'text', 'created_at': 'timestamp', 'expires_at': 'timestamp', 'accepted_at': 'timestamp'},
        'instead': {'since': 'created_at', 'ended_at': 'accepted_at', 'name': 'email'},
    },
    'admin_api_keys': {
        'kind': 'admin_api_key',
        'columns': {'id': 'text', 'name': 'text', 'created_at': 'timestamp', 'expires_at': 'timestamp', 'last_used_at': 'timestamp', 'owner': 'json'},
        'instead': {
            'since': 'created_at',
            'owner_kind': openai_audit.json_text('owner', 'type'),
            'owner_id': openai_audit.json_text('owner', 'id'),
        },
    },
    'groups': {
        'kind': 'group',
        'columns': {'id': 'text', 'name': 'text', 'created_at': 'timestamp'},
        'instead': {'since': 'created_at'},
    },
    'group_users': {
        'kind': 'user',
        'columns': {'id': 'text', 'name': 'text', 'email': 'text', 'group_id': 'text'},
    },
    'roles': {
        'kind': 'role',
        'columns': {'id': 'text', 'name': 'text'},
    },
    'certificates': {
        'kind': 'certificate',
        'columns': {'id': 'text', 'name': 'text', 'created_at': 'timestamp'},
        'instead': {'since': 'created_at'},
    },
    'project_users': {
        'kind': 'user',
        'columns': {'project_id': 'text', 'id': 'text', 'name': 'text', 'email': 'text', 'role': 'text', 'added_at': 'timestamp'},
        'instead': {'since': 'added_at'},
    },
    'project_service_accounts': {
        'kind': 'service_account',
        'columns': {'project_id': 'text', 'id': 'text', 'name': 'text', 'role': 'text', 'created_at': 'timestamp'},
        'instead': {'since': 'created_at'},
    },
    'project_api_keys': {
        'kind': 'api_key',
        'columns': {'project_id': 'text', 'id': 'text', 'name': 'text', 'created_at': 'timestamp', 'last_used_at': 'timestamp', 'owner_project_access': 'text', 'owner': 'json'},
        'instead': {
            'since': 'created_at',
            'status': 'owner_project_access',
            'owner_kind': openai_audit.json_text('owner', 'type'),
            'owner_id': 'coalesce(' ~ openai_audit.json_text('owner', 'user.id') ~ ', ' ~ openai_audit.json_text('owner', 'service_account.id') ~ ')',
        },
    },
    'project_groups': {
        'kind': 'group',
        'columns': {'project_id': 'text', 'group_id': 'text', 'group_name': 'text', 'created_at': 'timestamp'},
        'instead': {'id': 'group_id', 'name': 'group_name', 'since': 'created_at'},
    },
} -%}
{%- set shape = {
    'id': 'text',
    'name': 'text',
    'email': 'text',
    'role': 'text',
    'status': 'text',
    'project_id': 'text',
    'group_id': 'text',
    'owner_kind': 'text',
    'owner_id': 'text',
    'since': 'timestamp',
    'expires_at': 'timestamp',
    'ended_at': 'timestamp',
    'last_used_at': 'timestamp',
} -%}
{%- set of_all = {'organization_id': 'text', 'run_id': 'text', '_sdc_extracted_at': 'timestamp'} -%}

with
{% for stream, about in streams.items() %}
{{ stream }} as (
    {{ openai_audit.raw(stream, dict(about.columns, **of_all)) }}
){{ ',' if not loop.last }}
{% endfor %}
{% for stream, about in streams.items() %}
select
    '{{ stream }}' as stream,
    '{{ about.kind }}' as kind,
    {%- for column, type in shape.items() %}
    cast({{ about.get('instead', {}).get(column, column if column in about.columns else 'null') }} as {{ openai_audit.type_of(type) }}) as {{ column }},
    {%- endfor %}
    organization_id,
    run_id,
    _sdc_extracted_at as loaded_at,
    source_relation
from {{ stream }}
{{ 'union all' if not loop.last }}
{% endfor %}
