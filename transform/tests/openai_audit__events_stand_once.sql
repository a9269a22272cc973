{#- Only the newest two days: all events would cost as much as a full refresh. -#}
select event_id
from {{ ref('openai_audit__events') }}
where occurred_at >= {{ dbt.dateadd('day', -2, openai_audit.now()) }}
group by event_id
having count(*) > 1
