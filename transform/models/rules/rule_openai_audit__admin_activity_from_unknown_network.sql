{#- PostgreSQL has room for 63 characters in a name; dbt adds 12 for an ephemeral model. -#}
{{ config(alias='rule_openai_audit__admin_activity_unknown_network') }}
with

own_networks as (
    {{ openai_audit.networks('select network from (' ~ openai_audit.own('openai_audit_own_networks', 'network') ~ ') as own') }}
),

break_glass_accounts as (
    {{ openai_audit.own('openai_audit_break_glass_accounts', 'account') }}
),

watched as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        outcome,
        workspace_id,
        actor,
        actor_id,
        actor_email,
        api_key_id,
        ip_address,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__watched') }}
),

changes as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        ip_address,
        second
    from watched
    where
        ip_address is not null
        and {{ openai_audit.administers() }}
),

addresses as (
    {{ openai_audit.addresses('select distinct ip_address as address from changes') }}
),

-- The history of each allow list. A list is in force from its activation; a list with only
-- changes in the log was activated before the log begins.
list_events as (
    select
        event_id,
        account_id,
        event_type,
        object_id,
        details,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__events') }}
    where
        event_type in (
            'ip_allowlist.created', 'ip_allowlist.updated', 'ip_allowlist.deleted',
            'ip_allowlist.config.activated', 'ip_allowlist.config.deactivated'
        )
        and account_id in (select changes.account_id from changes)
),

of_lists as (
    select
        event_id,
        account_id,
        event_type,
        object_id as list_id,
        second,
        {{ openai_audit.json_joined('details', 'allowed_ips') }} is not null as has_ranges,
        {{ openai_audit.lets_in_everybody('allowed_ips') }} as lets_in_everybody
    from list_events
    where object_id is not null and event_type not like 'ip_allowlist.config.%'
    union all
    select
        list_events.event_id,
        list_events.account_id,
        list_events.event_type,
        items.item as list_id,
        list_events.second,
        false as has_ranges,
        false as lets_in_everybody
    from list_events
    {{ openai_audit.json_items('list_events.details', 'configs', 'id') }}
    where list_events.event_type like 'ip_allowlist.config.%'
),

placed as (
    select
        event_id,
        account_id,
        event_type,
        list_id,
        second,
        has_ranges,
        row_number() over (partition by account_id, list_id order by second, event_id) as place,
        lead(second) over (partition by account_id, list_id order by second, event_id) as until_second
    from of_lists
    where list_id is not null
),

-- The last value of several is the greatest text that begins with the position.
known as (
    select
        account_id,
        second,
        until_second,
        max(case when event_type != 'ip_allowlist.updated' then lpad(cast(place as {{ dbt.type_string() }}), 12, '0') || event_type end) over (
            partition by account_id, list_id order by place
        ) as state,
        max(case when has_ranges then lpad(cast(place as {{ dbt.type_string() }}), 12, '0') || event_id end) over (
            partition by account_id, list_id order by place
        ) as ranges_from
    from placed
),

ranges as (
    {{ openai_audit.networks(
        "select list_events.event_id, lower(trim(items.item)) as network from list_events "
        ~ openai_audit.json_items('list_events.details', 'allowed_ips'),
        ['event_id'],
    ) }}
),

-- With a list whose ranges are unknown or allow every address, no address counts as
-- outside.
open_lists as (
    select event_id
    from of_lists
    where lets_in_everybody
    union distinct
    select event_id
    from ranges
    where prefix is null
),

in_force as (
    select
        known.account_id,
        known.second,
        known.until_second,
        substr(known.ranges_from, 13) as event_id,
        case when known.ranges_from is null or open_lists.event_id is not null then 1 else 0 end as is_open
    from known
    left join open_lists on substr(known.ranges_from, 13) = open_lists.event_id
    where known.state is null or known.state like '%.activated'
),

-- From here on each range and each account has +1 when a list comes into force and -1 when
-- it no longer is: the state at a time is a running sum, without a search.
range_steps as (
    select
        in_force.account_id,
        ranges.prefix,
        in_force.second,
        1 as step
    from in_force
    inner join ranges on in_force.event_id = ranges.event_id
    where ranges.prefix is not null
    union all
    select
        in_force.account_id,
        ranges.prefix,
        in_force.until_second as second,
        -1 as step
    from in_force
    inner join ranges on in_force.event_id = ranges.event_id
    where ranges.prefix is not null and in_force.until_second is not null
),

lengths as (
    select distinct length(prefix) as length
    from range_steps
),

range_moments as (
    select
        cast(null as {{ dbt.type_string() }}) as event_id,
        account_id,
        prefix,
        second,
        step
    from range_steps
    union all
    select
        changes.event_id,
        changes.account_id,
        left(addresses.bits, cast(lengths.length as integer)) as prefix,
        changes.second,
        0 as step
    from changes
    inner join addresses on changes.ip_address = addresses.address
    cross join lengths
),

range_sums as (
    select
        event_id,
        sum(step) over (
            partition by account_id, prefix order by second range between unbounded preceding and 1 preceding
        ) as lists
    from range_moments
),

account_moments as (
    select
        cast(null as {{ dbt.type_string() }}) as event_id,
        account_id,
        cast(null as {{ dbt.type_timestamp() }}) as occurred_at,
        cast(null as {{ dbt.type_string() }}) as actor,
        cast(null as {{ dbt.type_string() }}) as ip_address,
        second,
        1 as step,
        is_open as open_step
    from in_force
    union all
    select
        cast(null as {{ dbt.type_string() }}) as event_id,
        account_id,
        cast(null as {{ dbt.type_timestamp() }}) as occurred_at,
        cast(null as {{ dbt.type_string() }}) as actor,
        cast(null as {{ dbt.type_string() }}) as ip_address,
        until_second as second,
        -1 as step,
        -1 * is_open as open_step
    from in_force
    where until_second is not null
    union all
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        ip_address,
        second,
        0 as step,
        0 as open_step
    from changes
),

account_sums as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        ip_address,
        sum(step) over (
            partition by account_id order by second range between unbounded preceding and 1 preceding
        ) as lists,
        sum(open_step) over (
            partition by account_id order by second range between unbounded preceding and 1 preceding
        ) as open_lists
    from account_moments
),

outside_lists as (
    select
        event_id,
        max(account_id) as account_id,
        max(occurred_at) as occurred_at,
        max(actor) as actor,
        max(ip_address) as ip_address
    from (
        select
            event_id,
            account_id,
            occurred_at,
            actor,
            ip_address,
            lists,
            open_lists,
            0 as lists_with_it
        from account_sums
        union all
        select
            event_id,
            cast(null as {{ dbt.type_string() }}) as account_id,
            cast(null as {{ dbt.type_timestamp() }}) as occurred_at,
            cast(null as {{ dbt.type_string() }}) as actor,
            cast(null as {{ dbt.type_string() }}) as ip_address,
            0 as lists,
            0 as open_lists,
            lists as lists_with_it
        from range_sums
    ) as sums
    where event_id is not null
    group by event_id
    having max(lists) > 0 and max(open_lists) = 0 and max(coalesce(lists_with_it, 0)) = 0
),

own_addresses as (
    select distinct addresses.address
    from addresses
    inner join own_networks on left(addresses.bits, length(own_networks.prefix)) = own_networks.prefix
),

from_outside as (
    select
        event_id,
        account_id,
        occurred_at,
        coalesce(actor, ip_address) as entity,
        'high' as severity,
        '{event}, from ' || {{ openai_audit.spoken('ip_address') }} || ', which is not on the IP allow list in force' as sentence
    from outside_lists
    union all
    select
        changes.event_id,
        changes.account_id,
        changes.occurred_at,
        coalesce(changes.actor, changes.ip_address) as entity,
        'high' as severity,
        '{event}, from ' || {{ openai_audit.spoken('changes.ip_address') }} || ', which is outside your networks' as sentence
    from changes
    where
        exists (select 1 from own_networks)
        and not exists (
            select 1
            from own_addresses
            where own_addresses.address = changes.ip_address
        )
),

for_emergencies as (
    select
        event_id,
        account_id,
        occurred_at,
        actor as entity,
        case when {{ openai_audit.failed_to_sign_in() }} then 'medium' else 'critical' end as severity,
        '{event}, with a break-glass account' as sentence
    from watched
    where
        lower(actor_id) in (select break_glass_accounts.account from break_glass_accounts)
        or actor_email in (select break_glass_accounts.account from break_glass_accounts)
        or lower(api_key_id) in (select break_glass_accounts.account from break_glass_accounts)
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    severity,
    sentence
from from_outside
union all
select
    event_id,
    account_id,
    occurred_at,
    entity,
    severity,
    sentence
from for_emergencies
