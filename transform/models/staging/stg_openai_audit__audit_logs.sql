{#- Details are under a key named like the type; if it is written with underscores, the tap
    puts them into `extra`. In an actor of an undocumented kind, a user, a service account
    or any object with an e-mail address is searched. Subqueries, because PostgreSQL uses an
    index for new rows and flattens only the requested ones if a view has no `with`. -#}
select
    id as event_id,
    effective_at as occurred_at,
    _sdc_extracted_at as loaded_at,
    source_relation,
    organization_id as account_id,
    organization_id,
    scope as source,
    type as event_type,
    {{ openai_audit.json_text('actor', 'type') }} as actor_type,
    {{ openai_audit.json_text('actor', 'session.user.id') }} as session_user_id,
    {{ openai_audit.json_text('actor', 'session.user.email') }} as session_user_email,
    coalesce(
        {{ openai_audit.json_text('actor', 'session.ip_address') }},
        {{ openai_audit.json_text_anywhere('other_actor', 'ip_address') }}
    ) as ip_address,
    {{ openai_audit.json_text('actor', 'session.ip_address_details.country') }} as country,
    {{ openai_audit.json_text('actor', 'session.ip_address_details.city') }} as city,
    {{ openai_audit.json_text('actor', 'session.ip_address_details.latitude') }} as latitude,
    {{ openai_audit.json_text('actor', 'session.ip_address_details.longitude') }} as longitude,
    {{ openai_audit.json_text('actor', 'session.ip_address_details.asn') }} as asn,
    {{ openai_audit.json_text('actor', 'session.user_agent') }} as user_agent,
    {{ openai_audit.json_text('actor', 'session.ja3') }} as ja3,
    {{ openai_audit.json_text('actor', 'session.ja4') }} as ja4,
    {{ openai_audit.json_text('actor', 'api_key.id') }} as api_key_id,
    {{ openai_audit.json_text('actor', 'api_key.user.id') }} as key_user_id,
    {{ openai_audit.json_text('actor', 'api_key.user.email') }} as key_user_email,
    {{ openai_audit.json_text('actor', 'api_key.service_account.id') }} as service_account_id,
    {{ openai_audit.json_text_anywhere('other_actor', 'user.id') }} as other_user_id,
    {{ openai_audit.json_text_anywhere('other_actor', 'user.email') }} as other_user_email,
    {{ openai_audit.json_text_anywhere('other_actor', 'service_account.id') }} as other_service_account_id,
    {{ openai_audit.json_text_anywhere('other_actor', 'id', beside='email') }} as other_id,
    {{ openai_audit.json_text_anywhere('other_actor', 'email') }} as other_email,
    {{ openai_audit.json_text('project', 'id') }} as project_id,
    {{ openai_audit.json_text('project', 'name') }} as project_name,
    {{ openai_audit.json_text('details', 'id') }} as details_id,
    {{ openai_audit.json_text('details', 'principal_id') }} as principal_id,
    {{ openai_audit.json_text('details', 'principal_type') }} as principal_type,
    {{ openai_audit.json_text('details', 'role_id') }} as role_id,
    coalesce(
        {{ openai_audit.json_text('details', 'name') }},
        {{ openai_audit.json_text('details', 'role_name') }},
        {{ openai_audit.json_text('details', 'data.title') }},
        {{ openai_audit.json_text('details', 'data.name') }},
        {{ openai_audit.json_text('details', 'data.group_name') }},
        {{ openai_audit.json_text('details', 'data.email') }}
    ) as object_name,
    coalesce(
        {{ openai_audit.json_joined('details', 'certificates', ['name', 'id']) }},
        {{ openai_audit.json_joined('details', 'configs', ['name', 'id']) }}
    ) as object_names,
    coalesce(
        {{ openai_audit.json_text('details', 'changes_requested.title') }},
        {{ openai_audit.json_text('details', 'changes_requested.name') }},
        {{ openai_audit.json_text('details', 'changes_requested.group_name') }},
        {{ openai_audit.json_text('details', 'changes_requested.role_name') }}
    ) as new_name,
    coalesce(
        {{ openai_audit.json_text('details', 'data.role') }},
        {{ openai_audit.json_text('details', 'changes_requested.role') }}
    ) as role,
    {{ openai_audit.json_text('details', 'changes_requested.api_call_logging') }} as setting,
    {{ openai_audit.json_text('details', 'resource_type') }} as resource_type,
    {{ openai_audit.json_text('details', 'resource_id') }} as resource_id,
    coalesce(
        {{ openai_audit.json_text('details', 'connector_name') }},
        {{ openai_audit.json_text('details', 'connector_id') }},
        {{ openai_audit.json_text('details', 'data.fine_tuned_model_checkpoint') }},
        {{ openai_audit.json_joined('details', 'allowed_ips') }},
        {{ openai_audit.json_text('details', 'data.provider.type') }} || ' ' || coalesce(
            {{ openai_audit.json_text('details', 'data.provider.account_id') }},
            {{ openai_audit.json_text('details', 'data.provider.account_name') }},
            {{ openai_audit.json_text('details', 'data.provider.tenancy_ocid') }},
            {{ openai_audit.json_text('details', 'data.provider.bucket') }}
        )
    ) as target,
    details
from (
    select
        id,
        effective_at,
        type,
        scope,
        organization_id,
        project,
        actor,
        case
            when {{ openai_audit.json_text('actor', 'session') }} is null and {{ openai_audit.json_text('actor', 'api_key') }} is null
                then actor
        end as other_actor,
        _sdc_extracted_at,
        source_relation,
        case
            when details is null and extra is not null and {{ openai_audit.is_plain_name('type') }}
                then {{ openai_audit.json_member('extra', "replace(type, '.', '_')") }}
            else details
        end as details
    from ({{ openai_audit.raw('audit_logs', {
        'id': 'text',
        'effective_at': 'timestamp',
        'type': 'text',
        'scope': 'text',
        'organization_id': 'text',
        'project': 'json',
        'actor': 'json',
        'details': 'json',
        'extra': 'json',
        '_sdc_extracted_at': 'timestamp',
    }) }}) as raw
) as events
