{#- Whether the tables hold what the tap wrote: for each day of an organization's feed,
    and for each file of a workspace's. -#}
with

counted as (
    select account_id, source, day, events, claimed_events, claimed_checksum, digest_updated_at, counted_at
    from {{ ref('int_openai_audit__counted_days') }}
),

digests as (
    select
        account_id,
        source,
        day,
        chain_id,
        chains,
        events,
        ids_checksum,
        counted_from,
        counted_to,
        exact,
        reason,
        updated_at,
        is_confirmed
    from {{ ref('int_openai_audit__digests') }}
),

chains as (
    select
        account_id,
        source,
        coalesce(covered_from, cast('0001-01-01' as {{ dbt.type_timestamp() }})) as covered_from,
        covered_from as known_from,
        covered_to,
        asked_to
    from {{ ref('int_openai_audit__chains') }}
),

-- The first and the last day that anything is known of.
bounds as (
    select account_id, source, min(day) as first_day, max(day) as last_day
    from (
        select account_id, source, day from counted
        union all
        select account_id, source, day from digests
        union all
        select account_id, source, {{ dbt.date_trunc('day', 'known_from') }} as day from chains
        union all
        select account_id, source, {{ dbt.date_trunc('day', 'asked_to') }} as day from chains
    ) as known
    where day is not null
    group by account_id, source
),

numbers as (
    {{ openai_audit.ten_thousand() }}
),

days as (
    select
        bounds.account_id,
        bounds.source,
        cast({{ dbt.dateadd('day', 'numbers.n', 'bounds.first_day') }} as {{ dbt.type_timestamp() }}) as day,
        cast({{ dbt.dateadd('day', 'numbers.n + 1', 'bounds.first_day') }} as {{ dbt.type_timestamp() }}) as day_end
    from bounds
    inner join numbers on numbers.n <= {{ dbt.datediff('bounds.first_day', 'bounds.last_day', 'day') }}
),

covered as (
    select
        days.account_id,
        days.source,
        days.day,
        days.day_end,
        min(chains.covered_from) as covered_from,
        max(chains.covered_to) as covered_to,
        max(chains.asked_to) as asked_to
    from days
    left join chains
        on
            days.account_id = chains.account_id
            and days.source = chains.source
            and chains.covered_from < days.day_end
    group by days.account_id, days.source, days.day, days.day_end
),

judged as (
    select
        covered.account_id,
        covered.source,
        covered.day,
        coalesce(counted.events, 0) as events_in_table,
        coalesce(counted.claimed_events, 0) as claimed_events,
        coalesce(counted.claimed_checksum, 0) as claimed_checksum,
        digests.events as events_in_digest,
        digests.ids_checksum as checksum_in_digest,
        digests.chain_id,
        digests.chains,
        digests.counted_from,
        digests.counted_to,
        digests.is_confirmed,
        digests.reason as digest_reason,
        counted.counted_at,
        case
            when digests.day is null then case
                when covered.covered_to is null or covered.covered_to <= covered.day
                    then case when covered.asked_to > covered.day then 'incomplete' else 'unreported' end
                when coalesce(counted.events, 0) > 0 then 'unreported'
            end
            when not digests.exact then 'inexact'
            when coalesce(counted.claimed_events, 0) > digests.events then 'surplus'
            when
                coalesce(counted.claimed_events, 0) < digests.events
                or coalesce(counted.claimed_checksum, 0) != digests.ids_checksum
                then case
                    when digests.is_confirmed or digests.updated_at < {{ dbt.dateadd('day', -1, openai_audit.now()) }}
                        then 'missing'
                    else 'pending'
                end
            when covered.covered_to is null or covered.covered_to < covered.day
                then case when covered.asked_to > covered.day then 'incomplete' else 'unreported' end
            when digests.counted_from > covered.day then 'partial'
            when digests.counted_to < covered.day_end and covered.covered_to >= covered.day_end then 'partial'
        end as flaw,
        -- The beginning of a day, and its end once it is over, have to be read as well.
        case
            when covered.covered_from > covered.day then 'partial'
            when covered.day_end <= {{ openai_audit.now() }} and covered.covered_to < covered.day_end
                then case when covered.asked_to >= covered.day_end then 'incomplete' else 'partial' end
            else 'proven'
        end as at_best
    from covered
    left join counted
        on covered.account_id = counted.account_id and covered.source = counted.source and covered.day = counted.day
    left join digests
        on covered.account_id = digests.account_id and covered.source = digests.source and covered.day = digests.day
),

run_days as (
    select
        account_id,
        source,
        day,
        runs,
        runs_incomplete,
        events_late,
        greatest_lateness_seconds,
        longest_gap_seconds,
        chains_begun_anew
    from {{ ref('int_openai_audit__run_days') }}
),

files as (
    select
        workspace_id,
        organization_id,
        case upper(type) when 'AUTH_LOG' then 'workspace_auth' else 'workspace_audit' end as source,
        file_id,
        end_time,
        events_emitted,
        ids_checksum,
        checksum_matches,
        first_timestamp,
        last_timestamp,
        reason
    from {{ ref('stg_openai_audit__workspace_log_files') }}
),

counted_files as (
    select workspace_id, source, file_id, events, ids_checksum
    from {{ ref('int_openai_audit__counted_files') }}
)

select
    judged.account_id as organization_id,
    cast(null as {{ dbt.type_string() }}) as workspace_id,
    judged.source,
    judged.day,
    cast(null as {{ dbt.type_string() }}) as file_id,
    coalesce(judged.flaw, judged.at_best) as verdict,
    judged.events_in_table,
    judged.events_in_digest,
    judged.claimed_checksum as checksum_in_table,
    judged.checksum_in_digest,
    judged.counted_from,
    judged.counted_to,
    judged.is_confirmed,
    judged.digest_reason as reason,
    judged.chain_id,
    cast(judged.chains as {{ dbt.type_bigint() }}) as chains,
    run_days.runs,
    run_days.runs_incomplete,
    run_days.longest_gap_seconds,
    run_days.chains_begun_anew,
    run_days.events_late,
    run_days.greatest_lateness_seconds,
    judged.counted_at
from judged
left join run_days
    on judged.account_id = run_days.account_id and judged.source = run_days.source and judged.day = run_days.day

union all

select
    files.organization_id,
    files.workspace_id,
    files.source,
    cast({{ dbt.date_trunc('day', 'files.end_time') }} as {{ dbt.type_timestamp() }}) as day,
    files.file_id,
    case
        when files.reason is not null then 'incomplete'
        when coalesce(counted_files.events, 0) > files.events_emitted then 'surplus'
        when
            coalesce(counted_files.events, 0) < files.events_emitted
            or coalesce(counted_files.ids_checksum, 0) != coalesce(files.ids_checksum, 0)
            then 'missing'
        else 'proven'
    end as verdict,
    coalesce(counted_files.events, 0) as events_in_table,
    files.events_emitted as events_in_digest,
    coalesce(counted_files.ids_checksum, 0) as checksum_in_table,
    files.ids_checksum as checksum_in_digest,
    files.first_timestamp as counted_from,
    files.last_timestamp as counted_to,
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
    cast(null as {{ dbt.type_timestamp() }}) as counted_at
from files
left join counted_files
    on
        files.workspace_id = counted_files.workspace_id
        and files.source = counted_files.source
        and files.file_id = counted_files.file_id
