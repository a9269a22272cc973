{#- The reference streams define who has access; the log adds who granted it and when it was
    used. -#}
with

listed as (
    select
        organization_id,
        stream,
        case stream
            when 'users' then 'member'
            when 'project_users' then 'project_member'
            when 'project_service_accounts' then 'service_account'
            when 'project_api_keys' then 'api_key'
            when 'admin_api_keys' then 'admin_api_key'
            when 'project_groups' then 'group_grant'
            when 'group_users' then 'group_member'
            when 'invites' then 'invitation'
        end as access_kind,
        kind,
        id,
        name,
        email,
        role,
        status,
        project_id,
        group_id,
        owner_kind,
        owner_id,
        since,
        expires_at,
        ended_at,
        last_used_at,
        listed_at,
        is_listed
    from {{ ref('int_openai_audit__listed') }}
    where coalesce(is_listed, true)
),

access as (
    select
        organization_id,
        access_kind,
        kind,
        id,
        name,
        email,
        role,
        status,
        project_id,
        group_id,
        owner_kind,
        owner_id,
        since,
        expires_at,
        last_used_at,
        listed_at
    from listed
    where
        access_kind is not null
        and (
            access_kind != 'invitation'
            or (
                ended_at is null
                and coalesce(status, 'pending') = 'pending'
                and (expires_at is null or expires_at > {{ openai_audit.now() }})
            )
        )
),

-- The owners of keys: whether they still exist, if that is known.
owners as (
    select
        organization_id,
        kind,
        id,
        max(name) as name
    from listed
    where stream in ('users', 'project_service_accounts')
    group by organization_id, kind, id
),

complete_lists as (
    select distinct
        organization_id,
        kind
    from listed
    where stream in ('users', 'project_service_accounts') and is_listed
),

owner_names as (
    select * from {{ ref('openai_audit__names') }}
    where is_current
),

-- One index lookup for each, not a scan of all events.
seen as (
    select
        access.organization_id,
        access.id,
        (
            select max(events.occurred_at)
            from {{ ref('int_openai_audit__events') }} as events
            where events.account_id = access.organization_id and events.actor_id = access.id
        ) as as_actor_at,
        (
            select max(events.occurred_at)
            from {{ ref('int_openai_audit__events') }} as events
            where events.account_id = access.organization_id and events.api_key_id = access.id
        ) as as_key_at
    from (
        select distinct
            organization_id,
            id
        from access
    ) as access
),

projects as (
    select * from {{ ref('openai_audit__names') }}
    where is_current and kind = 'project'
),

-- Which events grant which access. An update grants it only if it has a role.
giving as (
{%- for access_kind, event_types in {
    'member': ['user.added', 'user.updated', 'tenant.user.added', 'role.assignment.created'],
    'project_member': ['role.assignment.created'],
    'service_account': ['service_account.created', 'service_account.updated', 'role.assignment.created'],
    'api_key': ['api_key.created', 'tenant.project_api_key.created'],
    'admin_api_key': ['api_key.created', 'tenant.admin_api_key.created'],
    'group_grant': ['role.assignment.created'],
    'invitation': ['invite.sent'],
}.items() %}
    {%- set outer = loop %}
    {%- for event_type in event_types %}
    select '{{ access_kind }}' as access_kind, '{{ event_type }}' as event_type
    {{ 'union all' if not (loop.last and outer.last) }}
    {%- endfor %}
{%- endfor %}
),

grants as (
    select
        access.access_kind,
        access.organization_id,
        access.id,
        access.project_id,
        access.group_id,
        events.event_id,
        events.occurred_at,
        events.actor_id,
        events.actor_email,
        events.api_key_id,
        row_number() over (
            partition by access.access_kind, access.organization_id, access.id, access.project_id, access.group_id
            order by events.occurred_at desc, events.event_id
        ) as place
    from access
    inner join giving on access.access_kind = giving.access_kind
    inner join {{ ref('int_openai_audit__events') }} as events
        on
            access.organization_id = events.account_id
            and access.id = events.object_id
            and giving.event_type = events.event_type
            and (events.role is not null or events.event_type not like '%.updated')
    where
        access.access_kind not in ('project_member', 'group_grant')
        or access.project_id = events.project_id
        or events.target like '%' || access.project_id
)

select
    access.organization_id,
    access.access_kind,
    access.kind as principal_kind,
    access.id as principal_id,
    access.name as principal_name,
    access.email as principal_email,
    access.role,
    access.project_id,
    projects.name as project_name,
    access.group_id,
    access.since,
    access.expires_at,
    cast({{ dbt.datediff('access.since', openai_audit.now(), 'day') }} as {{ dbt.type_bigint() }}) as age_days,
    grants.event_id as granted_event_id,
    grants.occurred_at as granted_at,
    coalesce(granters.name, grants.actor_email, grants.actor_id, grants.api_key_id) as granted_by,
    case
        when access.last_used_at > coalesce(seen.as_key_at, seen.as_actor_at) then access.last_used_at
        else coalesce(seen.as_key_at, seen.as_actor_at, access.last_used_at)
    end as last_seen_at,
    access.owner_id,
    owner_names.name as owner_name,
    case
        when access.owner_id is null then null
        when access.status = 'inactive' then true
        when owners.id is not null then false
        when complete_lists.kind is not null then true
    end as owner_is_gone,
    access.listed_at
from access
left join grants
    on
        access.access_kind = grants.access_kind
        and access.organization_id = grants.organization_id
        and access.id = grants.id
        and coalesce(access.project_id, '') = coalesce(grants.project_id, '')
        and coalesce(access.group_id, '') = coalesce(grants.group_id, '')
        and grants.place = 1
left join owner_names as granters
    on grants.organization_id = granters.account_id and grants.actor_id = granters.id
left join owner_names on access.organization_id = owner_names.account_id and access.owner_id = owner_names.id
left join projects on access.organization_id = projects.account_id and access.project_id = projects.id
left join owners
    on
        access.organization_id = owners.organization_id
        and access.owner_id = owners.id
left join complete_lists
    on access.organization_id = complete_lists.organization_id and access.owner_kind = complete_lists.kind
left join seen on access.organization_id = seen.organization_id and access.id = seen.id
