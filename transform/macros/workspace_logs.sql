{#- The events of a feed of a workspace, `audit` or `auth`: the tap's tables of both have the
    same columns. -#}
{% macro workspace_logs(feed) -%}
with

events as (
    {{ openai_audit.raw('workspace_' ~ feed ~ '_logs', {
        'event_id': 'text',
        'timestamp': 'timestamp',
        'action': 'text',
        'action_result': 'text',
        'actor': 'json',
        'request_metadata': 'json',
        'action_data': 'json',
        'workspace_id': 'text',
        'file_id': 'text',
        'file_end_time': 'timestamp',
        '_sdc_extracted_at': 'timestamp',
    }) }}
)

select
    event_id,
    timestamp_ as occurred_at,
    _sdc_extracted_at as loaded_at,
    source_relation,
    workspace_id as account_id,
    workspace_id,
    file_id,
    file_end_time,
    'workspace_{{ feed }}' as source,
    action as event_type,
    action_result,
    {{ openai_audit.json_text('actor', 'type') }} as actor_type,
    {{ openai_audit.json_text('actor', 'user_id') }} as actor_user_id,
    {{ openai_audit.json_text('actor', 'user_email') }} as actor_email,
    {{ openai_audit.json_text('actor', 'redacted_id') }} as api_key_id,
    {{ openai_audit.json_text('request_metadata', 'client_ip') }} as ip_address,
    {{ openai_audit.json_text('request_metadata', 'client_ip_details.country') }} as country,
    {{ openai_audit.json_text('request_metadata', 'client_ip_details.city') }} as city,
    {{ openai_audit.json_text('request_metadata', 'client_ip_details.latitude') }} as latitude,
    {{ openai_audit.json_text('request_metadata', 'client_ip_details.longitude') }} as longitude,
    {{ openai_audit.json_text('request_metadata', 'client_ip_details.asn') }} as asn,
    {{ openai_audit.json_text('request_metadata', 'client_user_agent') }} as user_agent,
    {{ openai_audit.json_text('request_metadata', 'client_ja3') }} as ja3,
    {{ openai_audit.json_text('request_metadata', 'client_ja4') }} as ja4,
    action_data as details
from events
{%- endmacro %}
