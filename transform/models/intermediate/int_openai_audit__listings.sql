{#- The last complete listing of each reference stream: objects that are not in it no longer
    exist. -#}
with

reports as (
    select
        organization_id,
        scope as stream,
        run_id,
        started_at,
        finished_at,
        row_number() over (partition by organization_id, scope order by started_at desc, run_id) as place
    from {{ ref('stg_openai_audit__sync_reports') }}
    where complete and scope not in ('organization', 'tenant', 'workspace_audit', 'workspace_auth')
)

select
    organization_id,
    stream,
    run_id,
    started_at,
    finished_at
from reports
where place = 1
