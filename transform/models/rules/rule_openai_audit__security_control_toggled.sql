{%- set minutes = openai_audit.parameter('security_control_toggled', 'minutes', 60) -%}
{%- set ip_lists = ['WORKSPACE_SET_IP_ALLOWLIST', 'WORKSPACE_SET_COMPLIANCE_API_IP_ALLOWLIST'] -%}
with

watched as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        object_id,
        outcome,
        actor,
        setting,
        details,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__watched') }}
),

controls as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        setting,
        actor,
        second,
        {{ openai_audit.opens_allowlist() }} as opens,
        {{ openai_audit.reduces_logging() }} as reduces_logging,
        lower({{ openai_audit.json_text('details', 'enabled') }}) as enabled,
        case
            when event_type like 'scim.%' then 'SCIM'
            when event_type = 'organization.updated' then 'logging of API calls'
            when event_type = 'ip_allowlist.updated' then 'IP allow list ' || coalesce(object_id, '')
            when event_type like 'ip_allowlist.%' then 'IP allow list'
            else event_type
        end as entity
    from watched
    where
        event_type in (
            'scim.disabled', 'scim.enabled', 'organization.updated', 'ip_allowlist.created', 'ip_allowlist.updated',
            'ip_allowlist.deleted', 'ip_allowlist.config.activated', 'ip_allowlist.config.deactivated'
        )
        or (event_type in {{ openai_audit.text_list(ip_lists) }} and coalesce(outcome, '') not in ('blocked', 'failed'))
),

switches as (
    select
        event_id,
        account_id,
        occurred_at,
        entity,
        actor,
        second,
        case
            when event_type in ('scim.disabled', 'ip_allowlist.deleted', 'ip_allowlist.config.deactivated') then true
            when event_type in ('scim.enabled', 'ip_allowlist.config.activated') then false
            when event_type = 'organization.updated' then case
                when reduces_logging then true
                when lower(setting) = 'enabled_for_all_projects' then false
            end
            when event_type = 'ip_allowlist.updated' then opens
            when event_type = 'ip_allowlist.created' then case when not opens then false end
            when enabled in ('true', 'false') then enabled = 'false'
        end as is_off
    from controls
),

-- The last time it was switched off, and the actor: the greatest text that begins with the
-- second. The order within a second is unknown: events in the same second count as earlier.
followed as (
    select
        event_id,
        account_id,
        occurred_at,
        entity,
        actor,
        second,
        is_off,
        max(case when is_off then lpad(cast(second as {{ dbt.type_string() }}), 12, '0') || coalesce(actor, '') end) over (
            partition by account_id, entity order by second
        ) as last_off
    from switches
    where is_off is not null
),

toggled as (
    select
        event_id,
        account_id,
        occurred_at,
        entity,
        actor,
        second,
        {{ openai_audit.number('left(last_off, 12)', 'bigint') }} as off_second,
        nullif(substr(last_off, 13), '') as off_actor
    from followed
    where not is_off and second - {{ openai_audit.number('left(last_off, 12)', 'bigint') }} <= {{ (60 * minutes) | int }}
),

-- The number of events of the actor who switched it off, up to the start and up to the end,
-- without a join of each switch with each event.
moments as (
    select
        account_id,
        actor,
        second,
        1 as events,
        cast(null as {{ dbt.type_string() }}) as begun_by,
        cast(null as {{ dbt.type_string() }}) as ended_by
    from watched
    where actor in (select toggled.off_actor from toggled)
    union all
    select
        account_id,
        off_actor as actor,
        off_second as second,
        0 as events,
        event_id as begun_by,
        cast(null as {{ dbt.type_string() }}) as ended_by
    from toggled
    union all
    select
        account_id,
        off_actor as actor,
        second,
        0 as events,
        cast(null as {{ dbt.type_string() }}) as begun_by,
        event_id as ended_by
    from toggled
),

counted as (
    select
        begun_by,
        ended_by,
        sum(events) over (partition by account_id, actor order by second) as done
    from moments
),

parts as (
    select
        event_id,
        account_id,
        occurred_at,
        entity,
        off_actor,
        -- The event that switches it on again is not counted as one in between.
        case when actor = off_actor then -1 else 0 end as done
    from toggled
    union all
    select
        coalesce(begun_by, ended_by) as event_id,
        cast(null as {{ dbt.type_string() }}) as account_id,
        cast(null as {{ dbt.type_timestamp() }}) as occurred_at,
        cast(null as {{ dbt.type_string() }}) as entity,
        cast(null as {{ dbt.type_string() }}) as off_actor,
        case when ended_by is not null then done else -1 * done end as done
    from counted
    where begun_by is not null or ended_by is not null
)

select
    event_id,
    max(account_id) as account_id,
    max(occurred_at) as occurred_at,
    max(entity) as entity,
    'critical' as severity,
    '{event}, within {{ minutes }} minutes after it was switched off' || coalesce(
        '; other events in between by ' || {{ openai_audit.spoken('max(off_actor)') }} || ', who switched it off: '
        || cast(cast(greatest(sum(done), 0) as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}),
        ''
    ) as sentence
from parts
group by event_id
