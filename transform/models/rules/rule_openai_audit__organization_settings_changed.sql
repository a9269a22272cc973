{%- set visible_to_all = [] -%}
{%- for setting in ['threads_ui_visibility', 'usage_dashboard_visibility'] -%}
    {#- Until April 2025 they were in `settings`. -#}
    {%- do visible_to_all.append(
        "coalesce(lower(coalesce("
        ~ openai_audit.json_text('details', 'changes_requested.' ~ setting) ~ ", "
        ~ openai_audit.json_text('details', 'changes_requested.settings.' ~ setting)
        ~ ")) = 'any_role', false)"
    ) -%}
{%- endfor -%}
select
    event_id,
    account_id,
    occurred_at,
    coalesce(case when event_type != 'organization.updated' then object_id end, account_id, event_id) as entity,
    case
        when {{ visible_to_all[0] }} then 'high'
        when {{ visible_to_all[1] }} then 'medium'
        else 'low'
    end as severity,
    case
        when {{ visible_to_all[0] }} then '{event}: every role can now read threads'
        when {{ visible_to_all[1] }} then '{event}: every role can now see usage and costs'
    end as sentence
from {{ ref('int_openai_audit__watched') }}
where
    (event_type in ('organization.updated', 'rate_limit.updated', 'rate_limit.deleted', 'role.updated', 'tenant.metadata.updated'))
    and not {{ openai_audit.reduces_logging() }}
    and not (event_type = 'role.updated' and {{ openai_audit.gained_permissions() }} is not null)
