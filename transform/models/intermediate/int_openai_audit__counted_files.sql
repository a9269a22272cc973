{#- What the tap's tables hold of each file of a workspace. -#}
with

logs as (
    select
        workspace_id,
        source,
        file_id,
        event_id
    from {{ ref('stg_openai_audit__workspace_audit_logs') }}
    union all
    select
        workspace_id,
        source,
        file_id,
        event_id
    from {{ ref('stg_openai_audit__workspace_auth_logs') }}
),

events as (
    select distinct
        workspace_id,
        source,
        file_id,
        event_id
    from logs
)

select
    workspace_id,
    source,
    file_id,
    cast(count(*) as {{ dbt.type_bigint() }}) as events,
    {{ openai_audit.ids_checksum('event_id') }} as ids_checksum
from events
group by workspace_id, source, file_id
