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
        -- Where no digest is there at all, nobody wanted the proof.
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
            'the file ' || {{ openai_audit.spoken('file_id') }},
            cast(cast(day as date) as {{ dbt.type_string() }})
        ) || ' of the ' || feed || ' log' as spoken_part
    from coverage
)

select
    account_id,
    day as occurred_at,
    -- A day that misses something is told by itself, the rest once a month.
    case verdict when 'missing' then part else feed || ' ' || verdict end as entity,
    case verdict when 'missing' then 'high' else 'medium' end as severity,
    case verdict
        when 'missing' then
            spoken_part || ' is missing something: the table holds '
            || cast(events_in_table as {{ dbt.type_string() }}) || ' of '
            || cast(events_in_digest as {{ dbt.type_string() }}) || ' events, or others'
        when 'incomplete' then spoken_part || ' was not read in full'
        else spoken_part || ' has events of which no digest tells how many there should be'
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
    'on ' || spoken_part || ' a run did not go on where the one before it had ended' as sentence,
    'log' as object_kind,
    part as object_id
from spoken
where chains_begun_anew > 0
