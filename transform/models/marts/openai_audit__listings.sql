{#- Whether each list of the reference streams was read, and its size: an empty list differs
    from one that was refused, or that no run has read. -#}
with

reports as (
    select *
    from {{ ref('stg_openai_audit__sync_reports') }}
    where scope not in ('organization', 'tenant', 'workspace_audit', 'workspace_auth')
),

attempts as (
    select
        *,
        row_number() over (partition by organization_id, scope order by started_at desc, run_id) as place
    from reports
),

complete as (
    select *
    from {{ ref('int_openai_audit__listings') }}
),

objects as (
    select
        organization_id,
        stream,
        count(case when coalesce(is_listed, true) then 1 end) as listed
    from {{ ref('int_openai_audit__listed') }}
    group by organization_id, stream
),

lists as (
    select distinct
        organization_id,
        stream
    from (
        select
            organization_id,
            scope as stream
        from reports
        union all
        select
            organization_id,
            stream
        from objects
    ) as named
)

select
    lists.organization_id,
    lists.stream,
    cast(coalesce(objects.listed, 0) as {{ dbt.type_bigint() }}) as objects,
    complete.finished_at as listed_at,
    attempts.started_at as attempted_at,
    attempts.complete as is_complete,
    attempts.reason
from lists
left join objects
    on lists.organization_id = objects.organization_id and lists.stream = objects.stream
left join complete
    on lists.organization_id = complete.organization_id and lists.stream = complete.stream
left join attempts
    on
        lists.organization_id = attempts.organization_id
        and lists.stream = attempts.scope
        and attempts.place = 1
