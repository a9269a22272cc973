{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        contract={'enforced': true},
        indexes=[
            {'columns': ['account_id', 'id', 'is_carried', 'occurred_at']},
            {'columns': ['batch']},
        ] if target.type == 'postgres' else [],
        post_hook="{{ openai_audit.analyze_first_build() }}",
    )
}}
{#- The names of ids in events: set by the event, or only mentioned in it, such as a
    project's; the latter are kept once a day. A row consists of its key alone, so that the
    order in which events arrive does not matter. -#}
with

events as (
    select
        batch,
        account_id,
        occurred_at,
        event_type,
        actor_kind,
        actor_id,
        actor_email,
        project_id,
        project_name,
        object_kind,
        object_id,
        object_name,
        new_name
    from {{ ref('int_openai_audit__events') }}
    where {{ openai_audit.is_of_a_new_batch() }}
),

types as (
    select * from {{ ref('openai_audit__event_types') }}
),

sightings as (
    select
        events.account_id,
        coalesce(events.object_kind, types.object_kind, 'unknown') as kind,
        events.object_id as id,
        coalesce(events.new_name, events.object_name) as name,
        events.occurred_at as seen_at,
        false as is_carried,
        events.batch
    from events
    left join types on events.event_type = types.event_type
    where events.object_id is not null and (events.new_name is not null or events.object_name is not null)

    union all

    select
        account_id,
        actor_kind as kind,
        actor_id as id,
        actor_email as name,
        {{ dbt.date_trunc('day', 'occurred_at') }} as seen_at,
        true as is_carried,
        batch
    from events
    where actor_id is not null and actor_email is not null

    union all

    select
        account_id,
        'project' as kind,
        project_id as id,
        project_name as name,
        {{ dbt.date_trunc('day', 'occurred_at') }} as seen_at,
        true as is_carried,
        batch
    from events
    where project_id is not null and project_name is not null
),

different as (
    select
        account_id,
        kind,
        id,
        name,
        seen_at,
        is_carried,
        min(batch) as batch
    from sightings
    group by account_id, kind, id, name, seen_at, is_carried
)

select
    different.account_id,
    different.kind,
    different.id,
    different.name,
    cast(different.seen_at as {{ dbt.type_timestamp() }}) as occurred_at,
    different.is_carried,
    different.batch
from different
{% if is_incremental() -%}
left join {{ this }} as known
    on
        different.account_id = known.account_id
        and different.kind = known.kind
        and different.id = known.id
        and different.name = known.name
        and different.seen_at = known.occurred_at
        and different.is_carried = known.is_carried
where known.id is null
{%- endif %}
