select
    names.account_id,
    names.id
from {{ ref('openai_audit__names') }} as names
inner join {{ ref('openai_audit__names') }} as others
    on
        names.account_id = others.account_id
        and names.id = others.id
        and (names.known_from is null or others.known_until is null or names.known_from < others.known_until)
        and (others.known_from is null or names.known_until is null or names.known_until > others.known_from)
group by names.account_id, names.id, names.known_from, names.name
having count(*) > 1
