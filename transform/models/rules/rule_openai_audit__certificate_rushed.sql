{%- set minutes = openai_audit.parameter('certificate_rushed', 'minutes', 60) -%}
with

-- What became of each certificate, as far back as the log goes: there are few such events.
certificate_events as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        coalesce(project_id, '') as project_id,
        object_id,
        details,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__events') }}
    where
        event_type in ('certificate.created', 'certificates.activated', 'certificates.deactivated')
        and account_id in (
            select watched.account_id
            from {{ ref('int_openai_audit__watched') }} as watched
            where watched.event_type in ('certificates.activated', 'certificates.deactivated')
        )
),

switched as (
    select
        certificate_events.event_id,
        certificate_events.account_id,
        certificate_events.occurred_at,
        certificate_events.event_type,
        certificate_events.project_id,
        certificate_events.second,
        items.item as certificate_id
    from certificate_events
    {{ openai_audit.json_items('certificate_events.details', 'certificates', 'id') }}
    where certificate_events.event_type like 'certificates.%' and items.item is not null
),

created as (
    select
        account_id,
        object_id as certificate_id,
        min(second) as second
    from certificate_events
    where event_type = 'certificate.created' and object_id is not null
    group by account_id, object_id
),

-- A certificate is active in the organization, and in each project, by itself; and only one
-- that is not can be deleted.
states as (
    select
        event_id,
        account_id,
        event_type,
        project_id,
        occurred_at,
        second,
        case event_type when 'certificates.activated' then 1 else 0 end as is_active,
        lag(case event_type when 'certificates.activated' then 1 else 0 end, 1, 0) over (
            partition by account_id, project_id, certificate_id order by second, event_id
        ) as was_active
    from switched
),

counted as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        project_id,
        sum(is_active - was_active) over (
            partition by account_id, project_id order by second range between unbounded preceding and current row
        ) as active
    from states
)

select
    switched.event_id,
    switched.account_id,
    switched.occurred_at,
    switched.certificate_id as entity,
    'medium' as severity,
    '{event}, within {{ minutes }} minutes of its being uploaded' as sentence
from switched
inner join created on switched.account_id = created.account_id and switched.certificate_id = created.certificate_id
where
    switched.event_type = 'certificates.activated'
    and switched.second - created.second between 0 and {{ (60 * minutes) | int }}
union all
select
    event_id,
    account_id,
    occurred_at,
    coalesce(nullif(project_id, ''), account_id) as entity,
    'medium' as severity,
    '{event}: no other is known to be active' as sentence
from counted
where event_type = 'certificates.deactivated' and active = 0
