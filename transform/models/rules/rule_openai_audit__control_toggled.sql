{%- set minutes = openai_audit.parameter('control_toggled', 'minutes', 60) -%}
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

-- Order within a second is not known: what was in the same second counts as before.
followed as (
    select
        event_id,
        account_id,
        occurred_at,
        entity,
        actor,
        second,
        is_off,
        max(case when is_off then second end) over (
            partition by account_id, entity order by second range between unbounded preceding and current row
        ) as off_second
    from switches
    where is_off is not null
),

switched_off as (
    select
        account_id,
        entity,
        second,
        max(actor) as actor
    from switches
    where is_off
    group by account_id, entity, second
),

toggled as (
    select
        followed.event_id,
        followed.account_id,
        followed.occurred_at,
        followed.entity,
        followed.second,
        followed.off_second,
        switched_off.actor as off_actor,
        case when followed.actor = switched_off.actor then 1 else 0 end as is_own
    from followed
    inner join switched_off
        on
            followed.account_id = switched_off.account_id
            and followed.entity = switched_off.entity
            and followed.off_second = switched_off.second
    where not followed.is_off and followed.second - followed.off_second <= {{ (60 * minutes) | int }}
),

-- How much whoever switched it off had done by then, and by the end, without a look at each
-- pair of a switch and an event.
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
        sum(events) over (
            partition by account_id, actor order by second range between unbounded preceding and current row
        ) as done
    from moments
),

done_between as (
    select
        coalesce(begun_by, ended_by) as event_id,
        sum(case when ended_by is not null then done else -done end) as done
    from counted
    where begun_by is not null or ended_by is not null
    group by coalesce(begun_by, ended_by)
)

select
    toggled.event_id,
    toggled.account_id,
    toggled.occurred_at,
    toggled.entity,
    'critical' as severity,
    '{event}, within {{ minutes }} minutes of its being switched off' || coalesce(
        '; other events meanwhile by ' || {{ openai_audit.spoken('toggled.off_actor') }} || ', who had done that: '
        || cast(cast(greatest(done_between.done - toggled.is_own, 0) as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}),
        ''
    ) as sentence
from toggled
inner join done_between on toggled.event_id = done_between.event_id
