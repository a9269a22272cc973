{%- set places = [
    'account_id', 'subscription_id', 'workload_identity_project_number', 'tenancy_ocid',
    'tenant_id', 'account_name',
] -%}
with

own_accounts as (
    {{ openai_audit.own('openai_audit_own_cloud_accounts', 'account') }}
),

registered as (
    select
        event_id,
        account_id,
        occurred_at,
        coalesce(object_id, actor, event_id) as entity,
        -- The identifier that is globally unique comes first.
        lower(trim(coalesce(
            {%- for place in places %}
            {{ openai_audit.json_text('details', 'data.provider.' ~ place) }}{{ ',' if not loop.last }}
            {%- endfor %}
        ))) as provider_account
    from {{ ref('int_openai_audit__watched') }}
    where event_type = 'external_storage.registered'
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    case when exists (select 1 from own_accounts) then 'critical' else 'high' end as severity,
    case
        when exists (select 1 from own_accounts) then '{event}, which is not one of your accounts'
        else '{event}; none of your own accounts are configured'
    end as sentence
from registered
where
    provider_account is null
    or provider_account not in (
        select own_accounts.account
        from own_accounts
    )
