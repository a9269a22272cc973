{{
    config(
        materialized='incremental',
        unique_key=['account_id', 'source', 'day'],
        contract={'enforced': true},
        indexes=[{'columns': ['account_id', 'loaded_at']}] if target.type == 'postgres' else [],
    )
}}
{#- The events of each day, counted in the tap's table and not in a copy. A run counts the
    days with new rows or a new digest, and, because a deleted row leaves no trace, those
    whose last count is older than a day, the oldest counts first. -#}
{%- set since = openai_audit.days_to_count() if is_incremental() -%}
with

logs as (
    select
        account_id,
        source,
        event_id,
        occurred_at,
        loaded_at,
        cast({{ dbt.date_trunc('day', 'occurred_at') }} as {{ dbt.type_timestamp() }}) as day
    from {{ ref('stg_openai_audit__audit_logs') }}
    where {{ openai_audit.within_days(since) }}
),

digests as (
    select * from {{ ref('int_openai_audit__digests') }}
    where {{ openai_audit.within_days(since, 'day') }}
),

days as (
    select
        account_id,
        source,
        day
    from logs

    union distinct

    select
        account_id,
        source,
        day
    from digests
    {% if is_incremental() -%}
    -- A day without any row left is counted, too.
    union distinct

    select
        account_id,
        source,
        day
    from {{ this }}
    where {{ openai_audit.within_days(since, 'day') }}
    {%- endif %}
),

events as (
    select
        days.account_id,
        days.source,
        days.day,
        logs.event_id,
        max(logs.loaded_at) as loaded_at,
        max(logs.occurred_at) as occurred_at
    from days
    left join logs on days.account_id = logs.account_id and days.source = logs.source and days.day = logs.day
    -- With a target that only appends, a table can hold an event more than once.
    group by days.account_id, days.source, days.day, logs.event_id
),

claimed as (
    select
        events.account_id,
        events.source,
        events.day,
        events.event_id,
        events.loaded_at,
        events.occurred_at,
        digests.updated_at as digest_updated_at,
        case
            when digests.counted_from is null or events.occurred_at >= digests.counted_from then events.event_id
        end as claimed_id
    from events
    left join digests
        on
            events.account_id = digests.account_id
            and events.source = digests.source
            and events.day = digests.day
)

select
    account_id,
    source,
    day,
    cast(count(event_id) as {{ dbt.type_bigint() }}) as events,
    cast(count(claimed_id) as {{ dbt.type_bigint() }}) as claimed_events,
    coalesce({{ openai_audit.ids_checksum('claimed_id') }}, 0) as claimed_checksum,
    max(loaded_at) as loaded_at,
    -- Never null, because it also limits the rows that are known.
    coalesce(max(occurred_at), day) as occurred_at,
    max(digest_updated_at) as digest_updated_at,
    cast({{ openai_audit.now() }} as {{ dbt.type_timestamp() }}) as counted_at
from claimed
group by account_id, source, day
