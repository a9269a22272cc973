{{
    config(
        materialized='incremental',
        unique_key=['account_id', 'source', 'file_id'],
        contract={'enforced': true},
        pre_hook=[
            "{{ openai_audit.index_raw('workspace_audit_logs', 'workspace_id', ['file_end_time']) }}",
            "{{ openai_audit.index_raw('workspace_auth_logs', 'workspace_id', ['file_end_time']) }}",
        ],
    )
}}
{#- The events of each file of a workspace, counted in the tap's tables and not in a copy. A
    run counts the files of days with a file that the tap wrote again, and, as in
    `int_openai_audit__counted_days`, those of days whose last count is older than a day. -#}
{%- set since = openai_audit.file_days_to_count() if is_incremental() -%}
with

files as (
    select
        account_id,
        source,
        file_id,
        day,
        max(occurred_at) as occurred_at,
        max(loaded_at) as loaded_at
    from {{ ref('stg_openai_audit__workspace_log_files') }}
    where {{ openai_audit.within_days(since) }}
    group by account_id, source, file_id, day
),

-- Distinct, because with a target that only appends a table can hold an event more than
-- once.
logs as (
    {%- for feed in ['audit', 'auth'] %}
    select
        account_id,
        source,
        file_id,
        event_id
    from {{ ref('stg_openai_audit__workspace_' ~ feed ~ '_logs') }}
    where {{ openai_audit.within_days(since, 'file_end_time') }}
    {{ 'union distinct' if not loop.last }}
    {%- endfor %}
)

select
    files.account_id,
    files.source,
    files.file_id,
    files.day,
    cast(count(logs.event_id) as {{ dbt.type_bigint() }}) as events,
    coalesce({{ openai_audit.ids_checksum('logs.event_id') }}, 0) as ids_checksum,
    files.loaded_at,
    files.occurred_at,
    cast({{ openai_audit.now() }} as {{ dbt.type_timestamp() }}) as counted_at
from files
left join logs
    on
        files.account_id = logs.account_id
        and files.source = logs.source
        and files.file_id = logs.file_id
group by files.account_id, files.source, files.file_id, files.day, files.loaded_at, files.occurred_at
