{{ config(materialized='incremental', incremental_strategy='append', contract={'enforced': true}) }}
{#- What the rules have judged and are judging. `int_openai_audit__watched` and
    `int_openai_audit__matches` write it: macros/rules.sql. -#}
select
    cast(null as {{ dbt.type_bigint() }}) as batch,
    cast(null as {{ dbt.type_string() }}) as account_id,
    cast(null as {{ dbt.type_timestamp() }}) as judged_from,
    cast(null as {{ dbt.type_string() }}) as judged_by,
    cast(null as {{ dbt.type_boolean() }}) as is_done
{{ openai_audit.from_nothing() }}
