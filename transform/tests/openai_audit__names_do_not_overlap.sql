with

names as (
    select
        account_id,
        id,
        known_from,
        lag(known_until) over (partition by account_id, id order by known_from nulls first, known_until nulls last) as known_until_before,
        row_number() over (partition by account_id, id order by known_from nulls first, known_until nulls last) as place
    from {{ ref('openai_audit__names') }}
)

select
    account_id,
    id,
    known_from
from names
where place > 1 and (known_from is null or known_until_before is null or known_until_before > known_from)
