{%- set times = openai_audit.parameter('rate_limit_raised', 'times', 10) -%}
{%- set limits = openai_audit.rate_limits().keys() -%}
with

-- The whole log: there are few such events.
changes as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type,
        coalesce(project_id, '') as project_id,
        object_id,
        {%- for limit in limits %}
        {{ openai_audit.number(openai_audit.json_text('details', 'changes_requested.' ~ limit), 'bigint') }} as {{ limit }},
        {%- endfor %}
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__events') }}
    where
        event_type in ('rate_limit.updated', 'rate_limit.deleted')
        and object_id is not null
        and account_id in (
            select watched.account_id
            from {{ ref('int_openai_audit__watched') }} as watched
            where watched.event_type = 'rate_limit.updated'
        )
),

-- The limit after a deletion is not in the log: null.
steps as (
    {%- for limit in limits %}
    select
        event_id,
        account_id,
        occurred_at,
        project_id,
        object_id,
        second,
        '{{ limit }}' as name,
        case event_type when 'rate_limit.updated' then {{ limit }} end as value
    from changes
    where {{ limit }} is not null or event_type = 'rate_limit.deleted'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

compared as (
    select
        event_id,
        account_id,
        occurred_at,
        project_id,
        object_id,
        name,
        value,
        lag(value) over (partition by account_id, project_id, object_id, name order by second, event_id) as value_before,
        -- The lowest value of the day, because several steps in one day count together.
        min(value) over (
            partition by account_id, project_id, object_id, name, floor(second / 86400.0) order by second, event_id
        ) as lowest
    from steps
)

select
    event_id,
    account_id,
    occurred_at,
    object_id || case when project_id = '' then '' else ' of ' || project_id end as entity,
    'medium' as severity,
    '{event}; the limit of ' || case name
        {%- for name, said in openai_audit.rate_limits().items() %}
        when '{{ name }}' then '{{ said }}'
        {%- endfor %}
    end || ' was ' || cast(
        case when value_before >= 0 and value >= {{ times * 1.0 }} * value_before then value_before else lowest end
        as {{ dbt.type_string() }}
    ) || case
        when value_before >= 0 and value >= {{ times * 1.0 }} * value_before then ' before'
        else ' earlier that day'
    end as sentence
from compared
where
    value > 0
    and (
        (value_before >= 0 and value >= {{ times * 1.0 }} * value_before)
        or (lowest >= 0 and lowest < value and value >= {{ times * 1.0 }} * lowest)
    )
