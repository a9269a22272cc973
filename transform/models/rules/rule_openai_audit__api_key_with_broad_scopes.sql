{%- set scopes = openai_audit.parameter('api_key_with_broad_scopes', 'scopes', ['*', 'all', 'api.all', 'admin', 'organization.write']) -%}
select
    event_id,
    account_id,
    occurred_at,
    coalesce(object_id, actor, event_id) as entity,
    case event_type when 'api_key.updated' then 'high' else 'medium' end as severity,
    cast(null as {{ dbt.type_string() }}) as sentence
from {{ ref('int_openai_audit__watched') }}
where
    {{ openai_audit.any_scope('item in ' ~ openai_audit.text_list(scopes | map('lower'))) }}
    and not {{ openai_audit.is_of_an_admin_key() }}
