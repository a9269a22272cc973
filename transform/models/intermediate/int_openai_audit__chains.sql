{#- Which time each chain of runs has read in full, and which it was asked for. -#}
with

reports as (
    select
        organization_id,
        scope,
        chain_id,
        covered_from,
        case when complete then coalesce(window_end, started_at) else bookmark end as covered_to,
        coalesce(window_end, started_at) as asked_to,
        row_number() over (partition by organization_id, scope, chain_id order by started_at desc, run_id) as newness
    from {{ ref('stg_openai_audit__sync_reports') }}
    where scope in ('organization', 'tenant')
)

select
    organization_id as account_id,
    scope as source,
    chain_id,
    -- The beginning of everything where it is null.
    max(case when newness = 1 then covered_from end) as covered_from,
    max(covered_to) as covered_to,
    max(asked_to) as asked_to
from reports
group by organization_id, scope, chain_id
