{#- The reports of the runs of a day. -#}
with

reports as (
    select
        coalesce(workspace_id, organization_id) as account_id,
        workspace_id,
        scope as source,
        started_at,
        complete,
        -- Null if there was nothing to read.
        max(case when coalesce(complete, true) then started_at end) over (
            partition by coalesce(workspace_id, organization_id), scope
        ) as last_complete_at,
        events_late,
        greatest_lateness_seconds,
        chain_id,
        lag(started_at) over (
            partition by coalesce(workspace_id, organization_id), scope order by started_at
        ) as started_before,
        lag(chain_id) over (
            partition by coalesce(workspace_id, organization_id), scope order by started_at
        ) as chain_before
    from {{ ref('stg_openai_audit__sync_reports') }}
    where scope in ('organization', 'tenant', 'workspace_audit', 'workspace_auth')
)

select
    account_id,
    max(workspace_id) as workspace_id,
    source,
    cast({{ dbt.date_trunc('day', 'started_at') }} as {{ dbt.type_timestamp() }}) as day,
    cast(count(*) as {{ dbt.type_bigint() }}) as runs,
    cast(count(case when not complete then 1 end) as {{ dbt.type_bigint() }}) as runs_incomplete,
    cast(sum(events_late) as {{ dbt.type_bigint() }}) as events_late,
    max(greatest_lateness_seconds) as greatest_lateness_seconds,
    max({{ openai_audit.seconds_between('started_before', 'started_at') }}) as longest_gap_seconds,
    cast(count(case when chain_id != chain_before then 1 end) as {{ dbt.type_bigint() }}) as chains_begun_anew,
    max(last_complete_at) as last_complete_at
from reports
group by account_id, source, {{ dbt.date_trunc('day', 'started_at') }}
