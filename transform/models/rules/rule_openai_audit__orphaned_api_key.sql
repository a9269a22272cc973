{%- set lifecycle = {
    'owner_left_at': {'object': 'owner_id', 'types': ['user.deleted', 'service_account.deleted', 'tenant.user.deleted']},
    'owner_came_at': {'object': 'owner_id', 'types': ['user.added', 'service_account.created', 'tenant.user.added']},
    'deleted_at': {
        'object': 'principal_id',
        'types': ['api_key.deleted', 'tenant.project_api_key.deleted', 'tenant.admin_api_key.deleted'],
    },
} -%}
with

keys as (
    select * from {{ ref('openai_audit__access') }}
    where access_kind in ('api_key', 'admin_api_key') and owner_id is not null
),

-- The events of a key and its owner, with one index lookup for each.
with_events as (
    select
        keys.organization_id,
        keys.access_kind,
        keys.principal_id,
        keys.owner_id,
        keys.owner_name,
        keys.owner_is_gone,
        keys.since,
        keys.last_seen_at,
        keys.listed_at,
        {%- for moment, about in lifecycle.items() %}
        (
            select max(events.occurred_at)
            from {{ ref('int_openai_audit__events') }} as events
            where
                events.account_id = keys.organization_id
                and events.object_id = keys.{{ about.object }}
                and events.event_type in {{ openai_audit.text_list(about.types) }}
        ) as {{ moment }}{{ ',' if not loop.last }}
        {%- endfor %}
    from keys
)

select
    organization_id as account_id,
    coalesce(owner_left_at, last_seen_at, since, listed_at) as occurred_at,
    access_kind || ' ' || principal_id as entity,
    'high' as severity,
    '{object} still exists, but its owner ' || coalesce({{ openai_audit.spoken('owner_name') }}, {{ openai_audit.spoken('owner_id') }}) || ' was removed' as sentence,
    access_kind as object_kind,
    principal_id as object_id
from with_events
where
    deleted_at is null
    and (
        owner_is_gone
        -- A list that is older than the deletion does not show whether the key still
        -- exists.
        or (
            owner_left_at < listed_at
            and coalesce(owner_came_at < owner_left_at, true)
            and coalesce(since < owner_left_at, true)
        )
    )
