{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        contract={'enforced': true},
        full_refresh=false,
        indexes=[{'columns': ['event_id']}, {'columns': ['account_id', 'occurred_at']}] if target.type == 'postgres' else [],
        pre_hook=[
            "{{ openai_audit.judge_all_if_rules_changed(model.compiled_code) }}",
            "{{ openai_audit.forget_what_is_judged_again() }}",
            "{{ openai_audit.with_memory_for_windows() }}",
        ],
        post_hook="{{ openai_audit.note_that_it_is_judged() }}",
    )
}}
{#- All matches of judged events are written again, those of states in each run. A full
    refresh judges all events again; dropping the table would lose the other matches. -#}
{%- set settings = openai_audit.settings_of_rules() -%}
{%- set cards = openai_audit.cards() -%}
{%- set rules_of_states = [] -%}
{%- for rule, card in cards.items() if card.kind == 'snapshot' -%} {%- do rules_of_states.append(rule) -%} {%- endfor -%}

with

-- What is judged is read from a table, because it is known only after this model was
-- compiled.
judged as (
    select * from {{ ref('int_openai_audit__judged') }}
    where not is_done
),

matches as (
    {%- for rule, model in openai_audit.models_of_rules().items() %}
    select
        '{{ rule }}' as rule,
        account_id,
        entity,
        {% if settings.get(rule, {}).get('severity') -%}
            {{ openai_audit.text_literal(settings[rule].severity) }} as severity,
        {%- else -%}
            severity,
        {%- endif %}
        occurred_at,
        {% if rule in rules_of_states -%}
        cast(null as {{ dbt.type_string() }}) as event_id,
        sentence,
        object_kind,
        object_id
        {%- else -%}
        event_id,
        sentence,
        cast(null as {{ dbt.type_string() }}) as object_kind,
        cast(null as {{ dbt.type_string() }}) as object_id
        {%- endif %}
    from {{ ref(*model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

-- A rule may match an event more than once.
select
    rule,
    account_id,
    entity,
    severity,
    occurred_at,
    event_id,
    max(sentence) as sentence,
    object_kind,
    object_id
from matches
where
    entity is not null
    and (
        event_id is null
        or exists (
            select 1 from judged
            where judged.account_id is null
        )
        or exists (
            select 1 from judged
            where matches.account_id = judged.account_id and matches.occurred_at >= judged.judged_from
        )
    )
group by rule, account_id, entity, severity, occurred_at, event_id, object_kind, object_id
-- depends_on: {{ ref('int_openai_audit__watched') }}, {{ ref('int_openai_audit__remembered') }}, {{ ref('int_openai_audit__events') }}
