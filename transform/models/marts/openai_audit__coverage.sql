{%- set differs -%}
    (claimed_events != events_in_digest or (exact and claimed_checksum != checksum_in_digest))
{%- endset -%}
{#- Read in full by the last incremental read, or before its bookmark; and no late-arrival
    scan of it failed. -#}
{%- set was_read -%}
    (
            coalesce(complete or bookmark >= day_end, false)
            and (
                coalesce(deep_complete, true)
                or coalesce(deep_window_start >= day_end, false)
                or coalesce(deep_window_end <= day, false)
            )
        )
{%- endset -%}
{#- Whether the tables hold what the tap wrote: for each day of an organization's feed,
    and for each file of a workspace's. The verdicts are those of docs/proof.md. -#}
with

counted as (
    select * from {{ ref('int_openai_audit__counted_days') }}
),

digests as (
    select * from {{ ref('int_openai_audit__digests') }}
),

looks as (
    select * from {{ ref('int_openai_audit__looks') }}
),

run_days as (
    select * from {{ ref('int_openai_audit__run_days') }}
),

set_aside as (
    select * from {{ ref('int_openai_audit__set_aside') }}
),

feeds as (
    select
        account_id,
        source,
        max(last_complete_at) as last_complete_at
    from run_days
    group by account_id, source
),

files as (
    select * from {{ ref('stg_openai_audit__workspace_log_files') }}
),

file_days as (
    select distinct
        account_id,
        source,
        day
    from files
),

days as (
    select
        account_id,
        source,
        day
    from counted
    union distinct
    select
        account_id,
        source,
        day
    from digests
    union distinct
    select
        account_id,
        source,
        day
    from run_days
),

days_set_aside as (
    select distinct
        days.account_id,
        days.source,
        days.day
    from days
    inner join set_aside
        on
            days.account_id = set_aside.account_id
            and days.source = set_aside.source
            and days.day < set_aside.read_to
            and (
                set_aside.read_from is null
                or set_aside.read_from < {{ dbt.dateadd('day', 1, 'days.day') }}
            )
    left join digests
        on days.account_id = digests.account_id and days.source = digests.source and days.day = digests.day
    where digests.chain_id is null or digests.chain_id = set_aside.chain_id
),

compared as (
    select
        days.account_id,
        run_days.workspace_id,
        days.source,
        days.day,
        {{ dbt.dateadd('day', 1, 'days.day') }} as day_end,
        coalesce(counted.events, 0) as events_in_table,
        coalesce(counted.claimed_events, 0) as claimed_events,
        coalesce(counted.claimed_checksum, 0) as claimed_checksum,
        counted.counted_at,
        digests.events as events_in_digest,
        digests.ids_checksum as checksum_in_digest,
        digests.counted_from,
        digests.counted_to,
        digests.exact,
        digests.updated_at,
        digests.is_confirmed,
        digests.chain_id,
        digests.chains,
        coalesce(digests.reason || '; ' || looks.reason, digests.reason, looks.reason) as reason,
        looks.complete,
        looks.bookmark,
        looks.deep_complete,
        looks.deep_window_start,
        looks.deep_window_end,
        run_days.runs,
        run_days.runs_incomplete,
        run_days.longest_gap_seconds,
        run_days.chains_begun_anew,
        run_days.events_late,
        run_days.greatest_lateness_seconds,
        coalesce(feeds.last_complete_at >= days.day, false) as was_read_later,
        file_days.day is not null as has_files,
        days_set_aside.day is not null as has_set_aside
    from days
    left join counted
        on days.account_id = counted.account_id and days.source = counted.source and days.day = counted.day
    left join digests
        on days.account_id = digests.account_id and days.source = digests.source and days.day = digests.day
    left join looks
        on
            digests.account_id = looks.account_id
            and digests.source = looks.source
            and digests.chain_id = looks.chain_id
    left join run_days
        on days.account_id = run_days.account_id and days.source = run_days.source and days.day = run_days.day
    left join feeds on days.account_id = feeds.account_id and days.source = feeds.source
    left join file_days
        on days.account_id = file_days.account_id and days.source = file_days.source and days.day = file_days.day
    left join days_set_aside
        on
            days.account_id = days_set_aside.account_id
            and days.source = days_set_aside.source
            and days.day = days_set_aside.day
),

counted_files as (
    select * from {{ ref('int_openai_audit__counted_files') }}
)

select
    case when workspace_id is null then account_id end as organization_id,
    workspace_id,
    source,
    day,
    cast(null as {{ dbt.type_string() }}) as file_id,
    case
        when events_in_digest is null and events_in_table > 0 then 'unreported'
        -- Without a digest: a run found no events, or no run has read the day yet.
        when events_in_digest is null and not was_read_later then 'incomplete'
        when events_in_digest is null and has_files then 'by_file'
        when events_in_digest is null and has_set_aside then 'set_aside'
        when events_in_digest is null then 'empty'
        when {{ differs }} and not is_confirmed and updated_at > {{ dbt.dateadd('day', -1, openai_audit.now()) }} then 'pending'
        when claimed_events > events_in_digest then 'surplus'
        when {{ differs }} then 'missing'
        when not coalesce(exact, false) then 'inexact'
        when has_set_aside then 'set_aside'
        when not {{ was_read }} then 'incomplete'
        when counted_from <= day and counted_to >= day_end then 'proven'
        else 'partial'
    end as verdict,
    events_in_table,
    events_in_digest,
    claimed_checksum as checksum_in_table,
    checksum_in_digest,
    counted_from,
    counted_to,
    is_confirmed,
    reason,
    chain_id,
    cast(chains as {{ dbt.type_bigint() }}) as chains,
    runs,
    runs_incomplete,
    longest_gap_seconds,
    chains_begun_anew,
    events_late,
    greatest_lateness_seconds,
    counted_at
from compared

union all

select
    cast(null as {{ dbt.type_string() }}) as organization_id,
    files.account_id as workspace_id,
    files.source,
    files.day,
    files.file_id,
    case
        when coalesce(counted_files.events, 0) > files.events_emitted then 'surplus'
        when
            coalesce(counted_files.events, 0) < files.events_emitted
            or coalesce(counted_files.ids_checksum, 0) != coalesce(files.ids_checksum, 0)
            then 'missing'
        when files.reason is not null then 'incomplete'
        else 'proven'
    end as verdict,
    coalesce(counted_files.events, 0) as events_in_table,
    files.events_emitted as events_in_digest,
    coalesce(counted_files.ids_checksum, 0) as checksum_in_table,
    files.ids_checksum as checksum_in_digest,
    files.first_event_at as counted_from,
    files.last_event_at as counted_to,
    cast(null as {{ dbt.type_boolean() }}) as is_confirmed,
    files.reason,
    cast(null as {{ dbt.type_string() }}) as chain_id,
    cast(null as {{ dbt.type_bigint() }}) as chains,
    cast(null as {{ dbt.type_bigint() }}) as runs,
    cast(null as {{ dbt.type_bigint() }}) as runs_incomplete,
    cast(null as {{ dbt.type_bigint() }}) as longest_gap_seconds,
    cast(null as {{ dbt.type_bigint() }}) as chains_begun_anew,
    cast(null as {{ dbt.type_bigint() }}) as events_late,
    cast(null as {{ dbt.type_bigint() }}) as greatest_lateness_seconds,
    counted_files.counted_at
from files
left join counted_files
    on
        files.account_id = counted_files.account_id
        and files.source = counted_files.source
        and files.file_id = counted_files.file_id
