{%- set days = openai_audit.parameter('unusual_login', 'days', 30) -%}
{%- set sign_ins = openai_audit.parameter('unusual_login', 'sign_ins', 10) -%}
{%- set hours = openai_audit.parameter('unusual_login', 'hours', 3) -%}
{%- set begin = 86400 * days -%}
{%- set middle = 86400 * (days // 2) -%}
with

actors as (
    {{ openai_audit.watched_actors(openai_audit.signed_in()) }}
),

sign_ins as (
    {{ openai_audit.habits('actors', ['country'], days, openai_audit.signed_in()) }}
),

counted as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        is_watched,
        country,
        {{ openai_audit.count_before(begin) }} as before,
        {{ openai_audit.count_before(begin, middle) }} as long_before,
        {{ openai_audit.count_before(begin, counted='country') }} as before_with_country,
        {{ openai_audit.count_before(begin, by='account_id, actor_id, country') }} as before_from_country
    from sign_ins
),

-- Each sign-in makes the hours around it usual.
distances as (
    {%- for distance in range(-1 * hours, hours + 1) %}
    select {{ distance }} as distance
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

usual_hours as (
    select
        sign_ins.event_id,
        sign_ins.account_id,
        sign_ins.actor_id,
        sign_ins.second,
        distances.distance,
        mod(cast(extract(hour from sign_ins.occurred_at) as {{ dbt.type_bigint() }}) + distances.distance + 24, 24) as hour_of_day
    from sign_ins
    cross join distances
),

counted_hours as (
    select
        event_id,
        distance,
        {{ openai_audit.count_before(begin, by='account_id, actor_id, hour_of_day') }} as before_at_that_time
    from usual_hours
),

rated as (
    select
        counted.event_id,
        counted.account_id,
        counted.occurred_at,
        counted.actor_id,
        counted.country is not null and counted.before_from_country = 0 and counted.before_with_country >= {{ sign_ins }} as is_new_country,
        counted_hours.before_at_that_time = 0 as is_unusual_hour
    from counted
    inner join counted_hours on counted.event_id = counted_hours.event_id
    where
        counted.is_watched
        and counted.before >= {{ sign_ins }}
        and counted.long_before > 0
        and counted_hours.distance = 0
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    case when is_new_country then 'medium' else 'low' end as severity,
    case
        when is_new_country then '{event}; in the {{ days }} days before {actor} never signed in from that country'
        else '{event}; in the {{ days }} days before {actor} never signed in at such an hour'
    end as sentence
from rated
where is_new_country or is_unusual_hour
