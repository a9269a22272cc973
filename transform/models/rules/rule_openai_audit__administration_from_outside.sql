{#- What changes nothing, or what people do for themselves and from home. -#}
{%- set no_administration = [
    'login.%', 'logout.%', 'invite.accepted', 'tenant.membership.accepted', 'tenant.membership.declined',
    'tenant.resource_share_grant.accepted', 'tenant.resource_share_grant.declined', 'tenant.user.looked_up',
    'tenant.principal_authentication_policy.resolved', 'tenant.workload_identity.access_token.issued',
] -%}
{#- The log of a workspace is mostly of its daily use. -#}
{%- set administration_of_a_workspace = [
    'WORKSPACE_SET_%', 'INVITE_SET_%', 'SCIM_%', 'SAML_%', 'DOMAIN_CREATE', 'DOMAIN_DELETE', 'INVITE_USERS', 'USER_ROLE_UPDATED',
    'USER_DELETE', '%_POLICY', 'APP_ALLOW_USER', 'PERSONAL_ACCESS_TOKEN_CREATE', 'SUBSCRIPTION_SET_%',
] -%}
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
        and (
            (
                workspace_id is null
                {%- for pattern in no_administration %}
                and event_type not like '{{ pattern }}'
                {%- endfor %}
            )
            or (
                workspace_id is not null
                and (
                    {%- for pattern in administration_of_a_workspace %}
                    event_type like '{{ pattern }}' {{ 'or' if not loop.last }}
                    {%- endfor %}
                )
            )
        )
),

addresses as (
    {{ openai_audit.addresses('select distinct ip_address as address from changes') }}
),

-- What became of each allow list. A list is in force from when it is activated; one of which
-- nothing but changes is known was activated before the log begins.
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
        lets_in_everybody,
        row_number() over (partition by account_id, list_id order by second, event_id) as place,
        lead(second) over (partition by account_id, list_id order by second, event_id) as until_second
    from of_lists
    where list_id is not null
),

last_places as (
    select
        account_id,
        list_id,
        second,
        until_second,
        max(case when event_type != 'ip_allowlist.updated' then place end) over (
            partition by account_id, list_id order by place
        ) as state_place,
        max(case when has_ranges then place end) over (partition by account_id, list_id order by place) as ranges_place
    from placed
),

ranges as (
    {{ openai_audit.networks(
        "select list_events.event_id, lower(trim(items.item)) as network from list_events "
        ~ openai_audit.json_items('list_events.details', 'allowed_ips'),
        ['event_id'],
    ) }}
),

unreadable as (
    select distinct event_id
    from ranges
    where prefix is null
),

in_force as (
    select
        last_places.account_id,
        last_places.second,
        last_places.until_second,
        given.event_id,
        -- Then nobody is known to be outside.
        case when given.event_id is null or given.lets_in_everybody or unreadable.event_id is not null then 1 else 0 end as is_open
    from last_places
    left join placed as states
        on
            last_places.account_id = states.account_id
            and last_places.list_id = states.list_id
            and last_places.state_place = states.place
    left join placed as given
        on
            last_places.account_id = given.account_id
            and last_places.list_id = given.list_id
            and last_places.ranges_place = given.place
    left join unreadable on given.event_id = unreadable.event_id
    where states.event_type is null or states.event_type = 'ip_allowlist.config.activated'
),

-- From here on each range, and each account, has a number that goes up where a list comes into
-- force and down where it no longer is: a look back is a sum and no search.
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
        second,
        1 as step,
        is_open as open_step
    from in_force
    union all
    select
        cast(null as {{ dbt.type_string() }}) as event_id,
        account_id,
        until_second as second,
        -1 as step,
        -1 * is_open as open_step
    from in_force
    where until_second is not null
    union all
    select
        event_id,
        account_id,
        second,
        0 as step,
        0 as open_step
    from changes
),

account_sums as (
    select
        event_id,
        sum(step) over (
            partition by account_id order by second range between unbounded preceding and 1 preceding
        ) as lists,
        sum(open_step) over (
            partition by account_id order by second range between unbounded preceding and 1 preceding
        ) as open_lists
    from account_moments
),

own_addresses as (
    select distinct addresses.address
    from addresses
    inner join own_networks on left(addresses.bits, length(own_networks.prefix)) = own_networks.prefix
),

from_outside as (
    select
        changes.event_id,
        changes.account_id,
        changes.occurred_at,
        coalesce(changes.actor, changes.ip_address) as entity,
        'high' as severity,
        '{event}, from ' || {{ openai_audit.spoken('changes.ip_address') }} || ', which is not on the IP allow list in force' as sentence
    from changes
    inner join account_sums on changes.event_id = account_sums.event_id
    where
        account_sums.lists > 0
        and account_sums.open_lists = 0
        and not exists (
            select 1
            from range_sums
            where range_sums.event_id = changes.event_id and range_sums.lists > 0
        )
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
        case when event_type in ('login.failed', 'login_failed') then 'medium' else 'critical' end as severity,
        '{event}: an account for emergencies' as sentence
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
