{#- The last incremental read and the last late-arrival scan of each chain: whether they
    were read in full, and up to which time. -#}
with

looks as (
    select
        organization_id,
        scope,
        chain_id,
        complete,
        bookmark,
        reason,
        row_number() over (partition by organization_id, scope, chain_id order by started_at desc, run_id) as place
    from {{ ref('stg_openai_audit__sync_reports') }}
    where scope in ('organization', 'tenant') and complete is not null
),

deep_looks as (
    select
        organization_id,
        scope,
        chain_id,
        deep_complete,
        deep_window_start,
        deep_window_end,
        row_number() over (partition by organization_id, scope, chain_id order by started_at desc, run_id) as place
    from {{ ref('stg_openai_audit__sync_reports') }}
    where scope in ('organization', 'tenant') and deep_complete is not null
)

select
    looks.organization_id as account_id,
    looks.scope as source,
    looks.chain_id,
    looks.complete,
    looks.bookmark,
    looks.reason,
    deep_looks.deep_complete,
    deep_looks.deep_window_start,
    deep_looks.deep_window_end
from looks
left join deep_looks
    on
        looks.organization_id = deep_looks.organization_id
        and looks.scope = deep_looks.scope
        and looks.chain_id = deep_looks.chain_id
        and deep_looks.place = 1
where looks.place = 1
