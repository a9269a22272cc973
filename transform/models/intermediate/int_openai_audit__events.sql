{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        contract={'enforced': true},
        indexes=[
            {'columns': ['event_id'], 'unique': true},
            {'columns': ['account_id', 'loaded_at']},
            {'columns': ['occurred_at']},
            {'columns': ['account_id', 'actor_id', 'occurred_at']},
            {'columns': ['account_id', 'api_key_id', 'occurred_at']},
            {'columns': ['account_id', 'object_id', 'occurred_at']},
            {'columns': ['event_type', 'occurred_at']},
            {'columns': ['batch']},
        ] if target.type == 'postgres' else [],
        pre_hook=[
            "{{ openai_audit.index_raw('audit_logs', 'organization_id', ['_sdc_extracted_at', 'effective_at']) }}",
            "{{ openai_audit.index_raw('workspace_audit_logs', 'workspace_id', ['_sdc_extracted_at', 'timestamp']) }}",
            "{{ openai_audit.index_raw('workspace_auth_logs', 'workspace_id', ['_sdc_extracted_at', 'timestamp']) }}",
        ],
        post_hook="{{ openai_audit.analyze_first_build() }}",
    )
}}
{#- Events never change, so a run appends those whose id is new. Names and other data that
    can change later are looked up by `openai_audit__events`. -#}
{%- set columns = [
    'event_id', 'occurred_at', 'loaded_at', 'source_relation', 'account_id', 'organization_id',
    'workspace_id', 'source', 'event_type', 'outcome', 'actor_type', 'actor_kind', 'actor_id',
    'actor_email', 'api_key_id', 'ip_address', 'country', 'city', 'latitude', 'longitude', 'asn',
    'user_agent', 'ja3', 'ja4', 'project_id', 'project_name', 'object_kind', 'object_id',
    'object_name', 'object_names', 'new_name', 'role', 'setting', 'target', 'details',
] -%}
{#- Known events are excluded before flattening, which costs more than the lookup. -#}
{%- set is_unknown -%}
    {{ openai_audit.is_new() }}
    {%- if is_incremental() %}
    and not exists (
        select 1 from (select event_id as known_id from {{ this }}) as known where known.known_id = event_id
    )
    {%- endif %}
{%- endset -%}

with

of_the_organization as (
    select
        event_id,
        occurred_at,
        loaded_at,
        source_relation,
        account_id,
        organization_id,
        cast(null as {{ dbt.type_string() }}) as workspace_id,
        source,
        event_type,
        cast(null as {{ dbt.type_string() }}) as outcome,
        actor_type,
        case
            when service_account_id is not null then 'service_account'
            when session_user_id is not null or session_user_email is not null then 'user'
            when key_user_id is not null or key_user_email is not null then 'user'
            when api_key_id is not null then 'api_key'
            when other_user_id is not null or other_user_email is not null then 'user'
            when other_service_account_id is not null then 'service_account'
            when other_email is not null then 'user'
            when actor_type is not null then 'other'
            else 'none'
        end as actor_kind,
        coalesce(
            service_account_id, session_user_id, key_user_id, other_user_id, other_service_account_id, other_id
        ) as actor_id,
        coalesce(session_user_email, key_user_email, other_user_email, other_email) as actor_email,
        api_key_id,
        ip_address,
        country,
        city,
        latitude,
        longitude,
        asn,
        user_agent,
        ja3,
        ja4,
        project_id,
        project_name,
        case when principal_id is not null and principal_type = 'group' then 'group' end as object_kind,
        coalesce(principal_id, case when event_type like 'role.%bound%' then role_id end, details_id) as object_id,
        object_name,
        object_names,
        new_name,
        role,
        setting,
        coalesce(
            target,
            case
                when resource_type like '%organization' then 'the organization'
                when resource_type like '%project' then 'the project ' || coalesce(resource_id, '')
                else coalesce(resource_id, resource_type)
            end
        ) as target,
        details
    from {{ ref('stg_openai_audit__audit_logs') }}
    where {{ is_unknown }}
),

{% for feed in ['audit', 'auth'] %}
of_the_workspace_{{ feed }} as (
    select
        event_id,
        occurred_at,
        loaded_at,
        source_relation,
        account_id,
        cast(null as {{ dbt.type_string() }}) as organization_id,
        workspace_id,
        source,
        event_type,
        case upper(action_result)
            when 'SUCCESS' then 'succeeded'
            when 'BLOCKED' then 'blocked'
            when 'ERROR' then 'failed'
            else lower(action_result)
        end as outcome,
        actor_type,
        case
            when actor_type = 'EXTERNAL_COLLABORATION_USER' then 'external_user'
            when actor_user_id is not null or actor_email is not null then 'user'
            when api_key_id is not null then 'api_key'
            when actor_type is not null then 'other'
            else 'none'
        end as actor_kind,
        actor_user_id as actor_id,
        actor_email,
        api_key_id,
        ip_address,
        country,
        city,
        latitude,
        longitude,
        asn,
        user_agent,
        ja3,
        ja4,
        cast(null as {{ dbt.type_string() }}) as project_id,
        cast(null as {{ dbt.type_string() }}) as project_name,
        cast(null as {{ dbt.type_string() }}) as object_kind,
        cast(null as {{ dbt.type_string() }}) as object_id,
        cast(null as {{ dbt.type_string() }}) as object_name,
        cast(null as {{ dbt.type_string() }}) as object_names,
        cast(null as {{ dbt.type_string() }}) as new_name,
        cast(null as {{ dbt.type_string() }}) as role,
        cast(null as {{ dbt.type_string() }}) as setting,
        cast(null as {{ dbt.type_string() }}) as target,
        details
    from {{ ref('stg_openai_audit__workspace_' ~ feed ~ '_logs') }}
    where {{ is_unknown }}
),
{% endfor %}

events as (
    {%- for feed in ['organization', 'workspace_audit', 'workspace_auth'] %}
    select
        {{ columns | join(',\n        ') }}
    from of_the_{{ feed }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

new_events as (
    select
        events.{{ columns | join(',\n        events.') }},
        -- With a target that only appends, a table can hold an event more than once.
        row_number() over (
            partition by events.event_id order by events.loaded_at, events.source_relation
        ) as copy
    from events
)

select
    event_id,
    -- An event of a workspace may have no time that can be parsed.
    coalesce(occurred_at, loaded_at, cast('1970-01-01' as {{ dbt.type_timestamp() }})) as occurred_at,
    loaded_at,
    source_relation,
    account_id,
    organization_id,
    workspace_id,
    source,
    {{ openai_audit.short_id('event_type') }} as event_type,
    outcome,
    actor_type,
    actor_kind,
    {{ openai_audit.short_id("coalesce(actor_id, case when actor_kind = 'api_key' then api_key_id end)") }} as actor_id,
    lower(nullif(actor_email, '')) as actor_email,
    {{ openai_audit.short_id('api_key_id') }} as api_key_id,
    nullif(ip_address, '') as ip_address,
    upper(nullif(country, '')) as country,
    nullif(city, '') as city,
    {{ openai_audit.number('latitude') }} as latitude,
    {{ openai_audit.number('longitude') }} as longitude,
    {{ openai_audit.number("replace(upper(asn), 'AS', '')", 'bigint') }} as asn,
    nullif(user_agent, '') as user_agent,
    nullif(ja3, '') as ja3,
    nullif(ja4, '') as ja4,
    {{ openai_audit.short_id('project_id') }} as project_id,
    nullif(project_name, '') as project_name,
    object_kind,
    {{ openai_audit.short_id('object_id') }} as object_id,
    nullif(object_name, '') as object_name,
    nullif(object_names, '') as object_names,
    nullif(new_name, '') as new_name,
    nullif(role, '') as role,
    setting,
    target,
    details,
    cast({{ openai_audit.next_batch(this) }} as {{ dbt.type_bigint() }}) as batch
from new_events
where copy = 1
