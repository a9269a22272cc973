{#- Periods in which a run read events without a usable `effective_at`: that of its
    incremental read and that of its late-arrival scan. -#}
with

reports as (
    select * from {{ ref('stg_openai_audit__sync_reports') }}
)

select
    organization_id as account_id,
    scope as source,
    chain_id,
    window_start as read_from,
    -- Null: up to the time of the run.
    coalesce(window_end, finished_at, started_at) as read_to
from reports
where set_aside is not null

union all

select
    organization_id as account_id,
    scope as source,
    chain_id,
    deep_window_start as read_from,
    deep_window_end as read_to
from reports
where set_aside is not null and deep_window_end is not null
