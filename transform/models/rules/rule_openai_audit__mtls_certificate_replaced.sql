{%- set minutes = openai_audit.parameter('mtls_certificate_replaced', 'minutes', 60) -%}
with

-- The history of each certificate in the whole log: there are few such events.
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

-- Certificates are activated for the organization and for each project separately, and only
-- an inactive one can be deleted.
of_certificates as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        project_id,
        second,
        object_id as certificate_id
    from certificate_events
    where event_type = 'certificate.created' and object_id is not null
    union all
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

states as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        project_id,
        second,
        certificate_id,
        case event_type when 'certificates.activated' then 1 else 0 end as is_active,
        lag(case event_type when 'certificates.activated' then 1 else 0 end, 1, 0) over (
            partition by account_id, project_id, certificate_id order by second, event_id
        ) as was_active,
        max(case when event_type = 'certificate.created' then second end) over (
            partition by account_id, certificate_id order by second
        ) as created_second
    from of_certificates
),

counted as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        project_id,
        certificate_id,
        second - created_second as age,
        sum(is_active - was_active) over (partition by account_id, project_id order by second) as active
    from states
)

select
    event_id,
    account_id,
    occurred_at,
    certificate_id as entity,
    'medium' as severity,
    '{event}, within {{ minutes }} minutes of its upload' as sentence
from counted
where event_type = 'certificates.activated' and age <= {{ (60 * minutes) | int }}
union all
select
    event_id,
    account_id,
    occurred_at,
    coalesce(nullif(project_id, ''), account_id) as entity,
    'medium' as severity,
    '{event}; no other certificate is known to be active' as sentence
from counted
where event_type = 'certificates.deactivated' and active = 0
