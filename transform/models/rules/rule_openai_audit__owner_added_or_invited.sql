with

own_domains as (
    {{ openai_audit.own('openai_audit_own_domains', 'domain') }}
),

additions as (
    select
        event_id,
        account_id,
        occurred_at,
        event_type like '%invite%' as is_invitation,
        {{ openai_audit.named_role() }} as role,
        object_id,
        actor,
        lower(trim(coalesce(
            {{ openai_audit.json_text('details', 'data.email') }},
            {{ openai_audit.json_text('details', 'email') }}
        ))) as email
    from {{ ref('int_openai_audit__watched') }}
    where
        event_type in (
            'user.updated', 'user.added', 'invite.sent', 'tenant.user.updated', 'tenant.user.added',
            'tenant.user.invited', 'tenant.api_organization_invite.upserted', 'tenant.chatgpt_workspace_invite.upserted'
        )
),

known as (
    select
        event_id,
        account_id,
        occurred_at,
        is_invitation,
        coalesce(email, object_id, actor, event_id) as entity,
        coalesce(role like '%owner%', false) as is_owner,
        coalesce(role like '%admin%', false) as is_administrator,
        email is not null
        and exists (select 1 from own_domains)
        and not exists (
            select 1
            from own_domains
            where
                right(additions.email, length(own_domains.domain) + 1) in ('@' || own_domains.domain, '.' || own_domains.domain)
        ) as is_foreign
    from additions
)

select
    event_id,
    account_id,
    occurred_at,
    entity,
    case
        when is_owner and (is_foreign or not is_invitation) then 'critical'
        when is_owner or is_administrator then 'high'
        else 'medium'
    end as severity,
    case when is_foreign then '{event}, whose address is outside your domains' end as sentence
from known
where is_owner or is_administrator or is_foreign
