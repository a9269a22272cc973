{{ config(materialized='view') }}
{#- A view, so that a name that becomes known today is also in the sentences of last year,
    and a run costs nothing for it. -#}
with

events as (
    select * from {{ ref('int_openai_audit__events') }}
),

types as (
    select
        event_type,
        category,
        nullif(object_kind, '') as object_kind,
        nullif(object_noun, '') as object_noun,
        sentence,
        coalesce(nullif(otherwise, ''), sentence) as otherwise
    from {{ ref('openai_audit__event_types') }}
),

{% for role in ['actor', 'api_key', 'project', 'object'] -%}
{{ role }}_names as (
    select
        account_id,
        id,
        kind,
        name,
        email,
        known_from,
        known_until
    from {{ ref('openai_audit__names') }}
),

{% endfor -%}
named as (
    select
        events.event_id,
        events.occurred_at,
        events.loaded_at,
        events.source_relation,
        events.account_id,
        events.organization_id,
        events.workspace_id,
        events.source,
        events.event_type,
        coalesce(types.category, 'unknown') as category,
        case
            when events.workspace_id is not null then lower(events.event_type)
            else regexp_replace(events.event_type, '^.*[.]', '')
        end as action,
        coalesce(
            events.outcome,
            case when events.event_type like '%failed' then 'failed' else 'succeeded' end
        ) as outcome,
        events.actor_type,
        events.actor_kind,
        events.actor_id,
        case
            when actor_names.name != coalesce(actor_names.email, '') then actor_names.name
        end as actor_name,
        coalesce(events.actor_email, actor_names.email) as actor_email,
        events.api_key_id,
        api_key_names.name as api_key_name,
        events.ip_address,
        events.country,
        events.city,
        events.latitude,
        events.longitude,
        events.asn,
        events.user_agent,
        events.ja3,
        events.ja4,
        events.project_id,
        coalesce(events.project_name, project_names.name) as project_name,
        coalesce(events.object_kind, types.object_kind) as object_kind,
        events.object_id,
        coalesce(object_names.name, events.object_name, events.object_names) as object_name,
        coalesce(replace(events.object_kind, '_', ' '), types.object_noun, 'object') as object_noun,
        events.new_name,
        events.role,
        events.setting,
        events.target,
        types.sentence,
        types.otherwise,
        events.details
    from events
    left join types on events.event_type = types.event_type
    {%- for role, id in {'actor': 'actor_id', 'api_key': 'api_key_id', 'project': 'project_id', 'object': 'object_id'}.items() %}
    left join {{ role }}_names
        on
            events.account_id = {{ role }}_names.account_id
            and events.{{ id }} = {{ role }}_names.id
            and (events.occurred_at > {{ role }}_names.known_from or {{ role }}_names.known_from is null)
            and (events.occurred_at <= {{ role }}_names.known_until or {{ role }}_names.known_until is null)
    {%- endfor %}
)

select
    event_id,
    occurred_at,
    organization_id,
    workspace_id,
    source,
    event_type,
    category,
    action,
    outcome,
    actor_kind,
    actor_id,
    actor_name,
    actor_email,
    api_key_id,
    api_key_name,
    ip_address,
    country,
    city,
    latitude,
    longitude,
    asn,
    user_agent,
    ja3,
    ja4,
    project_id,
    project_name,
    object_kind,
    object_id,
    object_name,
    {{ openai_audit.printable(openai_audit.sentence()) }} as sentence,
    {% set collector = var('openai_audit_collector_ids') -%}
    {% if collector -%}
        coalesce(actor_id in {{ openai_audit.text_list(collector) }}, false)
        or coalesce(api_key_id in {{ openai_audit.text_list(collector) }}, false)
    {%- else -%}
        false
    {%- endif %} as is_collector,
    (
        select {{ dbt.listagg('distinct matches.rule', "', '", 'order by matches.rule') }}
        from {{ ref('int_openai_audit__matches') }} as matches
        where matches.event_id = named.event_id
    ) as tags,
    role,
    new_name,
    setting,
    target,
    details,
    account_id,
    loaded_at,
    source_relation
from named
