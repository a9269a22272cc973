{#- The digest that a day is compared with: the newest, if a chain was lost and another
    began. It is confirmed once a run has continued from the state of the run that wrote it. -#}
with

digests as (
    select
        organization_id,
        scope,
        chain_id,
        {{ dbt.date_trunc('day', 'day') }} as day,
        events,
        ids_checksum,
        counted_from,
        counted_to,
        exact,
        reason,
        run_id,
        updated_at,
        row_number() over (
            partition by organization_id, scope, day
            order by updated_at desc, counted_to desc, events desc, chain_id
        ) as place,
        count(*) over (partition by organization_id, scope, day) as chains
    from {{ ref('stg_openai_audit__audit_log_digests') }}
),

confirmed as (
    select distinct
        organization_id,
        scope,
        chain_id,
        previous_run_id
    from {{ ref('stg_openai_audit__sync_reports') }}
    where previous_run_id is not null
)

select
    digests.organization_id as account_id,
    digests.scope as source,
    cast(digests.day as {{ dbt.type_timestamp() }}) as day,
    digests.chain_id,
    digests.chains,
    digests.events,
    digests.ids_checksum,
    digests.counted_from,
    digests.counted_to,
    digests.exact,
    digests.reason,
    digests.updated_at,
    confirmed.previous_run_id is not null as is_confirmed
from digests
left join confirmed
    on
        digests.organization_id = confirmed.organization_id
        and digests.scope = confirmed.scope
        and digests.chain_id = confirmed.chain_id
        and digests.run_id = confirmed.previous_run_id
where digests.place = 1
