{{ config(materialized='view') }}
{#- Whether each finding still holds under the current rules, settings, events and lists. -#}
select
    findings.finding_id,
    findings.rule,
    findings.severity,
    findings.organization_id,
    findings.workspace_id,
    findings.entity,
    findings.window_start,
    detected.finding_id is not null as holds,
    suppressed.reason as suppressed_reason
from {{ ref('openai_audit__findings') }} as findings
left join {{ ref('int_openai_audit__detected') }} as detected on findings.finding_id = detected.finding_id
left join {{ ref('int_openai_audit__suppressed') }} as suppressed on findings.finding_id = suppressed.finding_id
