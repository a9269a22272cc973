{{ config(materialized='table') }}
{#- Every object that a reference stream ever listed, and whether it is still listed. A row
    has the run that saw it last: an object exists if that is the last complete listing or a
    later one. Without a complete listing the column is null. -#}
with

objects as (
    select * from {{ ref('stg_openai_audit__references') }}
),

listings as (
    select * from {{ ref('int_openai_audit__listings') }}
),

runs as (
    select
        organization_id,
        scope as stream,
        run_id,
        started_at
    from {{ ref('stg_openai_audit__sync_reports') }}
)

select
    objects.stream,
    objects.kind,
    objects.id,
    nullif(objects.name, '') as name,
    lower(nullif(objects.email, '')) as email,
    objects.role,
    objects.status,
    objects.project_id,
    objects.group_id,
    objects.owner_kind,
    objects.owner_id,
    objects.since,
    objects.expires_at,
    objects.ended_at,
    objects.last_used_at,
    objects.organization_id,
    objects.loaded_at,
    listings.finished_at as listed_at,
    case
        when listings.run_id is null then null
        when objects.run_id = listings.run_id then true
        -- A run that was killed has no report; then the load time decides.
        when runs.run_id is null then objects.loaded_at >= listings.started_at
        else runs.started_at >= listings.started_at
    end as is_listed
from objects
left join listings
    on objects.organization_id = listings.organization_id and objects.stream = listings.stream
left join runs
    on
        objects.organization_id = runs.organization_id
        and objects.stream = runs.stream
        and objects.run_id = runs.run_id
