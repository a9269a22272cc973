select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, account_id, event_id) as entity,
    case
        when outcome in ('blocked', 'failed') then 'low'
        when
            event_type in (
                'tenant.billing.alerts.updated', 'tenant.billing.overage_limit.updated', 'tenant.usage_limit.workspace.updated',
                'SUBSCRIPTION_SET_OVERAGE_LIMIT', 'SUBSCRIPTION_SET_USAGE_ALERTS'
            )
            then 'medium'
        else 'low'
    end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    event_type like 'tenant.billing.%'
    or event_type like 'tenant.usage_limit.%'
    or event_type in ('SUBSCRIPTION_SET_OVERAGE_LIMIT', 'SUBSCRIPTION_SET_USAGE_ALERTS')
