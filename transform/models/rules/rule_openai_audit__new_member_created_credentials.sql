{%- set minutes = openai_audit.parameter('new_member_created_credentials', 'minutes', 15) -%}
{%- set steps = {
    'invited': ['invite.sent', 'tenant.user.invited', 'tenant.api_organization_invite.upserted'],
    'accepted': ['invite.accepted', 'tenant.membership.accepted', 'INVITE_ACCEPT'],
    'added': ['user.added', 'tenant.user.added'],
    'created': [
        'api_key.created', 'service_account.created', 'tenant.project_api_key.created', 'tenant.admin_api_key.created',
        'PERSONAL_ACCESS_TOKEN_CREATE',
    ],
} -%}
{%- set day = 24 * 60 * 60 -%}
with

watched as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        actor_id,
        actor_email,
        object_id,
        {{ openai_audit.second('occurred_at') }} as second,
        lower(trim(coalesce(
            {{ openai_audit.json_text('details', 'data.email') }},
            {{ openai_audit.json_text('details', 'email') }}
        ))) as email,
        case
            {%- for step, event_types in steps.items() %}
            when event_type in {{ openai_audit.text_list(event_types) }} then '{{ step }}'
            {%- endfor %}
        end as step
    from {{ ref('int_openai_audit__watched') }}
    where coalesce(outcome, '') not in ('blocked', 'failed')
),

-- An acceptance may not contain the address: then that of the invitation with the same id
-- is used.
invitations as (
    select
        account_id,
        step,
        second,
        max(email) over (partition by account_id, object_id order by second) as email,
        second - max(case when step = 'invited' then second end) over (partition by account_id, object_id order by second) as age
    from watched
    where step in ('invited', 'accepted') and object_id is not null
),

-- The same person may be known by an id, by an address, or by both.
by_person as (
    select
        account_id,
        actor_id as person,
        second,
        step,
        event_id,
        occurred_at,
        actor
    from watched
    where step in ('accepted', 'created')
    union all
    select
        account_id,
        actor_email as person,
        second,
        step,
        event_id,
        occurred_at,
        actor
    from watched
    where step in ('accepted', 'created')
    union all
    select
        account_id,
        object_id as person,
        second,
        step,
        event_id,
        occurred_at,
        actor
    from watched
    where step = 'added'
    union all
    select
        account_id,
        email as person,
        second,
        step,
        event_id,
        occurred_at,
        actor
    from watched
    where step = 'invited'
    union all
    select
        account_id,
        email as person,
        second,
        step,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as {{ dbt.type_timestamp() }}) as occurred_at,
        cast(null as {{ dbt.type_string() }}) as actor
    from invitations
    where step = 'accepted' and age <= {{ day }}
),

sequenced as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        step,
        second,
        {%- for earlier in ['invited', 'accepted', 'added'] %}
        max(case when step = '{{ earlier }}' then second end) over (
            partition by account_id, person order by second
        ) as {{ earlier }}{{ ',' if not loop.last }}
        {%- endfor %}
    from by_person
    where person is not null
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'high' as severity,
    '{event}, within {{ minutes }} minutes of joining by invitation' as sentence
from sequenced
where step = 'created'
group by event_id, account_id, occurred_at, actor
having
    max(second) - max(accepted) <= {{ (60 * minutes) | int }}
    -- A member may have been added without an invitation.
    or (max(second) - max(added) <= {{ (60 * minutes) | int }} and max(second) - max(invited) <= {{ day }})
