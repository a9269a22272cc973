{#- The findings that are suppressed now, and the reason. A field that a suppression leaves
    out matches all values. -#}
with

suppressions as (
    {{ openai_audit.listed('openai_audit_suppressions', ['rule', 'entity', 'until', 'reason']) }}
)

select
    detected.finding_id,
    max(coalesce(suppressions.reason, 'no reason given')) as reason
from {{ ref('int_openai_audit__detected') }} as detected
inner join suppressions
    on
        coalesce(suppressions.rule, detected.rule) = detected.rule
        and coalesce(suppressions.entity, detected.entity) = detected.entity
where suppressions.until is null or cast(suppressions.until as {{ dbt.type_timestamp() }}) > {{ openai_audit.now() }}
group by detected.finding_id
