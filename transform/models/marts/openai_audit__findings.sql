{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert' if target.type in ('postgres', 'duckdb', 'snowflake') else 'merge',
        unique_key='finding_id',
        full_refresh=false,
        on_schema_change='append_new_columns',
        indexes=[{'columns': ['finding_id'], 'unique': true}, {'columns': ['detected_at']}] if target.type == 'postgres' else [],
    )
}}
{#- Findings do not change after they were detected: a run adds new ones, and only adds
    events to existing ones. -#}
{%- set columns = [
    'finding_id', 'rule', 'title', 'severity', 'organization_id', 'workspace_id', 'entity',
    'window_start', 'first_event_at', 'last_event_at', 'detected_at', 'event_count',
    'event_ids', 'actor_kind', 'actor_id', 'actor_name', 'actor_email', 'object_kind',
    'object_id', 'object_name', 'ip_address', 'sentence', 'remediation', 'mitre',
    'suppressed_reason',
] -%}
{%- set found_now = {
    'detected_at': 'cast(' ~ openai_audit.now() ~ ' as ' ~ dbt.type_timestamp() ~ ') as detected_at',
    'sentence': openai_audit.printable(openai_audit.finding_sentence()) ~ ' as sentence',
} -%}
{%- set grown = {
    'first_event_at': 'case when detected.first_event_at < existing.first_event_at then detected.first_event_at else existing.first_event_at end as first_event_at',
    'last_event_at': 'case when detected.last_event_at > existing.last_event_at then detected.last_event_at else existing.last_event_at end as last_event_at',
    'event_count': 'detected.event_count',
    'event_ids': 'detected.event_ids',
} -%}
with

detected as (
    select * from {{ ref('int_openai_audit__detected') }}
),

{% if is_incremental() -%}
new_ones as (
    select detected.finding_id
    from detected
    left join {{ this }} as existing on detected.finding_id = existing.finding_id
    where existing.finding_id is null
),
{%- else -%}
new_ones as (
    select finding_id
    from detected
),
{%- endif %}

rules as (
    select * from {{ ref('openai_audit__rules') }}
),

names as (
    select
        account_id,
        id,
        max(name) as name
    from {{ ref('openai_audit__names') }}
    where is_current
    group by account_id, id
),

-- A finding about a state has no event that names its organization.
workspaces as (
    select distinct workspace_id
    from {{ ref('openai_audit__coverage') }}
    where workspace_id is not null
),

suppressions as (
    select * from {{ ref('int_openai_audit__suppressed') }}
),

events as (
    select * from {{ ref('openai_audit__events') }}
    where {{ openai_audit.is_newest_of_a_new_finding(this if is_incremental() else none) }}
),

described as (
    select
        detected.finding_id,
        detected.rule,
        rules.title,
        detected.severity,
        case
            when detected.newest_event_id is not null then events.organization_id
            when workspaces.workspace_id is null then detected.account_id
        end as organization_id,
        case
            when detected.newest_event_id is not null then events.workspace_id
            else workspaces.workspace_id
        end as workspace_id,
        detected.entity,
        detected.window_start,
        detected.first_event_at,
        detected.last_event_at,
        detected.event_count,
        detected.event_ids,
        events.actor_kind,
        events.actor_id,
        events.actor_name,
        events.actor_email,
        coalesce(events.object_kind, detected.object_kind) as object_kind,
        coalesce(events.object_id, detected.object_id) as object_id,
        coalesce(events.object_name, names.name) as object_name,
        events.ip_address,
        events.sentence as event_sentence,
        coalesce(detected.sentence, '{event}') as sentence,
        rules.remediation,
        rules.mitre,
        suppressions.reason as suppressed_reason
    from detected
    inner join new_ones on detected.finding_id = new_ones.finding_id
    inner join rules on detected.rule = rules.rule
    left join events on detected.newest_event_id = events.event_id
    left join names on detected.account_id = names.account_id and detected.object_id = names.id
    left join workspaces on detected.account_id = workspaces.workspace_id
    left join suppressions on detected.finding_id = suppressions.finding_id
)

select
    {%- for column in columns %}
    {{ found_now.get(column, column) }}{{ ',' if not loop.last }}
    {%- endfor %}
from described
{%- if is_incremental() %}

union all

select
    {%- for column in columns %}
    {{ grown.get(column, 'existing.' ~ column) }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ this }} as existing
inner join detected on existing.finding_id = detected.finding_id
where detected.event_count > existing.event_count
{%- endif %}
