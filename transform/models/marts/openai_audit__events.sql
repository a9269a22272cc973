{{ config(materialized='view') }}
{#- A view, so that a name that becomes known today is also in the sentences of last year,
    and a run costs nothing for it. -#}
with

events as (
    select * from {{ ref('int_openai_audit__events') }}
),

types as (
    select
        event_type,
        category,
        nullif(object_kind, '') as object_kind,
        nullif(object_noun, '') as object_noun,
        sentence,
        coalesce(nullif(otherwise, ''), sentence) as otherwise,
        in_project
    from {{ ref('openai_audit__event_types') }}
),

-- Keys and service accounts of one project each.
homes as (
    select
        organization_id as account_id,
        id,
        max(project_id) as project_id
    from {{ ref('int_openai_audit__listed') }}
    where stream in ('project_api_keys', 'project_service_accounts')
    group by organization_id, id
    having min(project_id) = max(project_id)
),

-- The role that a user or service account had by the event before.
former_roles as (
    select
        event_id,
        lag(role) over (partition by account_id, object_id order by occurred_at, event_id) as role
    from {{ ref('int_openai_audit__events') }}
    where
        event_type in ('user.added', 'user.updated', 'service_account.created', 'service_account.updated')
        and object_id is not null
        and role is not null
),

-- Where an act took place is not said by the field `project` alone: what an admin key does
-- is booked on the organization's default project, whatever it is about.
placed as (
    select
        events.*,
        types.category,
        types.object_kind as expected_kind,
        types.object_noun,
        types.sentence,
        types.otherwise,
        coalesce(
            types.sentence like '%{name}%' or events.event_type in ('organization.updated', 'service_account.updated'), false
        ) as says_new_name,
        {{ openai_audit.kind_of_id('events.object_id') }} as kind_of_id,
        lower({{ openai_audit.json_text('events.details', 'principal_type') }}) as principal_type,
        coalesce(
            lower({{ openai_audit.json_text('events.details', 'resource_type') }}) like '%project',
            {{ openai_audit.kind_of_id(openai_audit.json_text('events.details', 'resource_id')) }} = 'project',
            false
        ) as resource_is_project,
        coalesce(
            {{ openai_audit.json_text('events.details', 'project_id') }},
            {{ openai_audit.json_text('events.details', 'data.project_id') }},
            case
                when lower({{ openai_audit.json_text('events.details', 'resource_type') }}) like '%project'
                    then {{ openai_audit.json_text('events.details', 'resource_id') }}
            end,
            case when types.in_project and types.object_kind in ('api_key', 'service_account') then homes.project_id end,
            case when types.in_project and events.api_key_id is null then events.project_id end
        ) as place_id,
        case
            when events.event_type like '%role_assignment.%' or events.event_type like 'role.assignment.%'
                then coalesce(
                    {{ openai_audit.json_text('events.details', 'role_id') }},
                    -- The id of an assignment begins with that of its role.
                    case
                        when {{ openai_audit.json_text('events.details', 'id') }} like 'role_assignment_role%'
                            then replace({{ dbt.split_part(openai_audit.json_text('events.details', 'id'), "'__'", 1) }}, 'role_assignment_', '')
                    end
                )
        end as assigned_role_id,
        case
            when events.event_type like '%role_assignment.%' or events.event_type like 'role.assignment.%'
                then coalesce(
                    events.role,
                    {{ openai_audit.json_text('events.details', 'role_name') }},
                    {{ openai_audit.json_text('events.details', 'role') }},
                    {{ openai_audit.json_text('events.details', 'data.role_name') }}
                )
        end as told_role_name
    from events
    left join types on events.event_type = types.event_type
    left join homes on events.account_id = homes.account_id and events.object_id = homes.id
),

{% for role in ['actor', 'api_key', 'project', 'place', 'assigned_role', 'object'] -%}
{{ role }}_names as (
    select
        account_id,
        id,
        kind,
        name,
        email,
        known_from,
        known_until
    from {{ ref('openai_audit__names') }}
),

{% endfor -%}
named as (
    select
        events.event_id,
        events.occurred_at,
        events.loaded_at,
        events.source_relation,
        events.account_id,
        events.organization_id,
        events.workspace_id,
        events.source,
        events.event_type,
        coalesce(events.category, 'unknown') as category,
        case
            when events.workspace_id is not null then lower(events.event_type)
            else regexp_replace(events.event_type, '^.*[.]', '')
        end as action,
        coalesce(
            events.outcome,
            case when events.event_type like '%failed' then 'failed' else 'succeeded' end
        ) as outcome,
        events.actor_type,
        events.actor_kind,
        events.actor_id,
        case
            when actor_names.name != coalesce(actor_names.email, '') then actor_names.name
        end as actor_name,
        coalesce(events.actor_email, actor_names.email) as actor_email,
        events.api_key_id,
        api_key_names.name as api_key_name,
        events.ip_address,
        events.country,
        events.city,
        events.latitude,
        events.longitude,
        events.asn,
        events.user_agent,
        events.ja3,
        events.ja4,
        events.project_id,
        coalesce(events.project_name, project_names.name) as project_name,
        case
            -- Ids of service accounts look like those of users in places.
            when
                events.expected_kind = 'service_account'
                or (events.expected_kind = 'user' and (events.kind_of_id = 'service_account' or object_names.kind = 'service_account' or events.principal_type like '%service%account%'))
                then case when events.kind_of_id in ('group', 'role', 'project') then events.kind_of_id else 'service_account' end
            else coalesce(events.object_kind, events.kind_of_id, events.expected_kind)
        end as object_kind,
        events.expected_kind,
        events.object_id,
        coalesce(object_names.name, events.object_name, events.object_names) as object_name,
        -- A name that is known since before the event: not since it.
        case
            when
                not events.says_new_name
                or events.new_name is null
                or object_names.known_from is not null
                or object_names.name != events.new_name
                then coalesce(object_names.name, events.object_name, events.object_names)
            else nullif(events.object_name, events.new_name)
        end as former_name,
        coalesce(events.object_noun, replace(events.object_kind, '_', ' '), 'object') as object_noun,
        events.new_name,
        coalesce(
            events.new_name is not null
            and not coalesce(object_names.known_from is not null and object_names.name = events.new_name, false),
            false
        ) as is_renamed,
        coalesce(
            events.says_new_name
            and object_names.known_from is null
            and object_names.name = events.new_name
            and nullif(events.object_name, events.new_name) is null,
            false
        ) as is_without_former_name,
        events.role,
        case when former_roles.role != events.role then former_roles.role end as former_role,
        events.assigned_role_id,
        coalesce(events.told_role_name, assigned_role_names.name) as assigned_role_name,
        events.resource_is_project,
        events.place_id,
        coalesce(case when events.place_id = events.project_id then events.project_name end, place_names.name) as place_name,
        events.setting,
        events.target,
        events.sentence,
        events.otherwise,
        events.details
    from placed as events
    left join former_roles on events.event_id = former_roles.event_id
    {%- for role, id in {
        'actor': 'actor_id', 'api_key': 'api_key_id', 'project': 'project_id', 'place': 'place_id',
        'assigned_role': 'assigned_role_id', 'object': 'object_id',
    }.items() %}
    left join {{ role }}_names
        on
            events.account_id = {{ role }}_names.account_id
            and events.{{ id }} = {{ role }}_names.id
            and (events.occurred_at > {{ role }}_names.known_from or {{ role }}_names.known_from is null)
            and (events.occurred_at <= {{ role }}_names.known_until or {{ role }}_names.known_until is null)
    {%- endfor %}
),

-- An id that is not of the kind of object that the type is about; of whom a role is given to,
-- the type does not say the kind.
told as (
    select
        *,
        coalesce(
            object_kind != expected_kind
            and not (expected_kind = 'user' and object_kind in ('service_account', 'group'))
            and not (expected_kind = 'resource' and object_kind = 'project'),
            false
        ) as is_of_another_kind
    from named
)

select
    event_id,
    occurred_at,
    organization_id,
    workspace_id,
    source,
    event_type,
    category,
    action,
    outcome,
    actor_kind,
    actor_id,
    actor_name,
    actor_email,
    api_key_id,
    api_key_name,
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
    object_kind,
    object_id,
    object_name,
    {{ openai_audit.printable(openai_audit.sentence()) }} as sentence,
    {% set collector = var('openai_audit_collector_ids') -%}
    {% if collector -%}
        coalesce(actor_id in {{ openai_audit.text_list(collector) }}, false)
        or coalesce(api_key_id in {{ openai_audit.text_list(collector) }}, false)
    {%- else -%}
        false
    {%- endif %} as is_collector,
    (
        select {{ dbt.listagg('distinct matches.rule', "', '", 'order by matches.rule') }}
        from {{ ref('int_openai_audit__matches') }} as matches
        where matches.event_id = told.event_id
    ) as tags,
    role,
    new_name,
    setting,
    target,
    details,
    account_id,
    loaded_at,
    source_relation
from told
