{{
    config(
        materialized='table' if target.type == 'bigquery' else 'incremental',
        incremental_strategy='delete+insert',
        unique_key=['account_id', 'id'],
        on_schema_change='append_new_columns',
        indexes=[{'columns': ['account_id', 'id']}] if target.type == 'postgres' else [],
        post_hook="{{ openai_audit.analyze_first_build() }}",
    )
}}
{#- The names of an id over time; consecutive events with the same name are one row. A name
    is valid for events after it was set, and the first one also for all events before. The
    listed name is the newest; since when is unknown, so it is valid from the last time that
    another name was set. People always have their listed name, otherwise their address; ids
    that were neither named nor listed have the name in the newest event that mentions them.
    A run writes again what is listed and what was seen since the previous run. -#}
with

listed as (
    select
        organization_id as account_id,
        id,
        max(kind) as kind,
        max(name) as name,
        max(email) as email
    from {{ ref('int_openai_audit__listed') }}
    where coalesce(name, email) is not null
    group by organization_id, id
),

changed as (
    select
        account_id,
        id
        from listed
    union distinct
    select
        account_id,
        id
    from {{ ref('int_openai_audit__sightings') }}
    where {{ openai_audit.is_of_a_new_batch() }}
),

relevant as (
    select
        sightings.account_id,
        sightings.id,
        sightings.kind,
        sightings.name,
        sightings.occurred_at,
        sightings.is_carried
    from changed
    inner join {{ ref('int_openai_audit__sightings') }} as sightings
        on changed.account_id = sightings.account_id and changed.id = sightings.id
    where not sightings.is_carried

    union all

    -- Most events mention names, mostly of listed ids, which do not use them.
    select
        sightings.account_id,
        sightings.id,
        sightings.kind,
        sightings.name,
        sightings.occurred_at,
        sightings.is_carried
    from changed
    inner join {{ ref('int_openai_audit__sightings') }} as sightings
        on changed.account_id = sightings.account_id and changed.id = sightings.id
    left join listed on changed.account_id = listed.account_id and changed.id = listed.id
    where sightings.is_carried and (listed.id is null or (listed.kind = 'user' and listed.email is null))
),

sightings as (
    select
        account_id,
        id,
        kind,
        name,
        occurred_at,
        is_carried,
        row_number() over (partition by account_id, id order by occurred_at desc, is_carried, name) as newness
    from relevant
),

newest as (
    select
        account_id,
        id,
        kind,
        name
    from sightings
    where newness = 1
),

given as (
    select
        sightings.account_id,
        sightings.id,
        sightings.name,
        sightings.occurred_at,
        0 as is_listed
    from sightings
    inner join newest on sightings.account_id = newest.account_id and sightings.id = newest.id
    left join listed on sightings.account_id = listed.account_id and sightings.id = listed.id
    where not sightings.is_carried and coalesce(listed.kind, newest.kind) not in ('user', 'external_user')

    union all

    select
        account_id,
        id,
        name,
        cast(null as {{ dbt.type_timestamp() }}) as occurred_at,
        1 as is_listed
    from listed
    where kind != 'user' and name is not null
),

compared as (
    select
        account_id,
        id,
        name,
        occurred_at,
        is_listed,
        lag(name) over (partition by account_id, id order by is_listed, occurred_at, name) as name_before,
        lag(occurred_at) over (partition by account_id, id order by is_listed, occurred_at, name) as given_before
    from given
),

changes as (
    select
        account_id,
        id,
        name,
        case when name_before is not null then coalesce(occurred_at, given_before) end as known_from,
        row_number() over (partition by account_id, id order by is_listed, occurred_at, name) as place
    from compared
    where name_before is null or name != name_before
),

history as (
    select
        account_id,
        id,
        name,
        known_from,
        lead(known_from) over (partition by account_id, id order by place) as known_until
    from changes
),

ids as (
    select
        account_id,
        id
        from listed
    union distinct
    select
        account_id,
        id
        from newest
        )

select
    ids.account_id,
    coalesce(listed.kind, newest.kind) as kind,
    ids.id,
    coalesce(history.name, listed.name, listed.email, newest.name) as name,
    coalesce(listed.email, case when newest.kind in ('user', 'external_user') then newest.name end) as email,
    history.known_from,
    history.known_until,
    history.known_until is null as is_current,
    (select max(seen.batch) from {{ ref('int_openai_audit__sightings') }} as seen) as batch
from ids
left join listed on ids.account_id = listed.account_id and ids.id = listed.id
left join newest on ids.account_id = newest.account_id and ids.id = newest.id
left join history on ids.account_id = history.account_id and ids.id = history.id
