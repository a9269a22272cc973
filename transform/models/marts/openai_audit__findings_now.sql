{{ config(materialized='view') }}
{#- What of all that was told still holds, by the rules, settings, events and lists of now. -#}
select
    told.finding_id,
    told.rule,
    told.severity,
    told.organization_id,
    told.workspace_id,
    told.entity,
    told.window_start,
    detected.finding_id is not null as holds,
    suppressed.reason as suppressed_reason
from {{ ref('openai_audit__findings') }} as told
left join {{ ref('int_openai_audit__detected') }} as detected on told.finding_id = detected.finding_id
left join {{ ref('int_openai_audit__suppressed') }} as suppressed on told.finding_id = suppressed.finding_id
