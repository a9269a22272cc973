{#- The findings from the current matches of enabled rules: one for each rule, account,
    entity, severity and calendar window. The id is a hash of these, so it does not depend
    on the order in which events arrive. -#}
{%- set most_ids = 100 -%}
{%- set off = [] -%}
{%- set on = [] -%}
{%- for rule, settings in openai_audit.settings_of_rules().items() -%}
    {%- if settings.get('enabled') is not none and 'enabled' in settings -%}
        {%- do (on if settings.enabled else off).append(rule) -%}
    {%- endif -%}
{%- endfor -%}
with

rules as (
    select
        rule,
        calendar_window
    from {{ ref('openai_audit__rules') }}
    where
        (is_enabled {%- if on %} or rule in {{ openai_audit.text_list(on) }} {%- endif %})
        {% if off %} and rule not in {{ openai_audit.text_list(off) }} {%- endif %}
),

matches as (
    select
        matches.rule,
        matches.account_id,
        matches.entity,
        matches.severity,
        matches.occurred_at,
        matches.event_id,
        matches.sentence,
        matches.object_kind,
        matches.object_id,
        case rules.calendar_window
            when 'day' then cast({{ dbt.date_trunc('day', 'matches.occurred_at') }} as {{ dbt.type_timestamp() }})
            when 'week' then cast({{ dbt.date_trunc('week', 'matches.occurred_at') }} as {{ dbt.type_timestamp() }})
            when 'month' then cast({{ dbt.date_trunc('month', 'matches.occurred_at') }} as {{ dbt.type_timestamp() }})
        end as window_start
    from {{ ref('int_openai_audit__matches') }} as matches
    inner join rules on matches.rule = rules.rule
),

numbered as (
    select
        rule,
        account_id,
        entity,
        severity,
        occurred_at,
        event_id,
        sentence,
        object_kind,
        object_id,
        window_start,
        row_number() over (
            partition by rule, account_id, entity, severity, window_start order by occurred_at, event_id
        ) as place,
        row_number() over (
            partition by rule, account_id, entity, severity, window_start order by occurred_at desc, event_id desc
        ) as place_from_the_end
    from matches
)

select
    {{ dbt.hash(
        "rule || '|' || severity || '|' || coalesce(cast(cast(window_start as date) as " ~ dbt.type_string() ~ "), 'ever') || '|'"
        " || cast(length(account_id) as " ~ dbt.type_string() ~ ") || '|' || account_id || '|' || entity"
    ) }} as finding_id,
    rule,
    account_id,
    entity,
    severity,
    window_start,
    min(occurred_at) as first_event_at,
    max(occurred_at) as last_event_at,
    cast(count(event_id) as {{ dbt.type_bigint() }}) as event_count,
    {{ openai_audit.json_array('case when place <= ' ~ most_ids ~ ' then event_id end', 'place') }} as event_ids,
    max(case when place_from_the_end = 1 then event_id end) as newest_event_id,
    max(case when place_from_the_end = 1 then sentence end) as sentence,
    max(case when place_from_the_end = 1 then object_kind end) as object_kind,
    max(case when place_from_the_end = 1 then object_id end) as object_id
from numbered
group by rule, account_id, entity, severity, window_start
