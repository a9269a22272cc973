{%- set days = openai_audit.parameter('log_gap', 'days', 2) -%}
with

coverage as (
    select
        coalesce(workspace_id, organization_id) as account_id,
        replace(source, '_', ' ') as feed,
        day,
        file_id,
        verdict,
        events_in_table,
        events_in_digest,
        chains_begun_anew,
        -- Without any digest the feed is not meant to be verified.
        max(events_in_digest) over (partition by coalesce(workspace_id, organization_id), source) is not null as is_counted
    from {{ ref('openai_audit__coverage') }}
),

spoken as (
    select
        account_id,
        feed,
        day,
        verdict,
        chains_begun_anew,
        events_in_table,
        events_in_digest,
        is_counted,
        feed || ' ' || coalesce('file ' || file_id, cast(cast(day as date) as {{ dbt.type_string() }})) as part,
        coalesce(
            'the file ' || {{ openai_audit.spoken('file_id') }} || ' of the ' || feed || ' log',
            'the ' || feed || ' log of ' || cast(cast(day as date) as {{ dbt.type_string() }})
        ) as spoken_part
    from coverage
)

select
    account_id,
    day as occurred_at,
    -- Each day with missing events is its own finding, the rest is one finding a month.
    case verdict when 'missing' then part else feed || ' ' || verdict end as entity,
    case verdict when 'missing' then 'high' else 'medium' end as severity,
    case verdict
        when 'missing' then
            spoken_part || ' does not match its digest: '
            || cast(events_in_table as {{ dbt.type_string() }}) || ' events in the table, '
            || cast(events_in_digest as {{ dbt.type_string() }}) || ' in the digest'
        when 'incomplete' then spoken_part || ' was not read in full'
        else spoken_part || ' has events without a digest and cannot be verified'
    end as sentence,
    'log' as object_kind,
    part as object_id
from spoken
where
    verdict = 'missing'
    or (
        (verdict = 'incomplete' or (verdict = 'unreported' and is_counted))
        and day < {{ dbt.dateadd('day', -1 * days, openai_audit.now()) }}
    )

union all

select
    account_id,
    day as occurred_at,
    'chain ' || part as entity,
    'high' as severity,
    'in ' || spoken_part || ', a run did not continue where the previous one ended' as sentence,
    'log' as object_kind,
    part as object_id
from spoken
where chains_begun_anew > 0
