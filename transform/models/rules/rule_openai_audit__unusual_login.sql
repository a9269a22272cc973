{%- set days = openai_audit.parameter('unusual_login', 'days', 30) -%}
{%- set sign_ins = openai_audit.parameter('unusual_login', 'sign_ins', 10) -%}
{%- set hours = openai_audit.parameter('unusual_login', 'hours', 3) -%}
{%- set begin = 86400 * days -%}
{%- set middle = 86400 * (days // 2) -%}
with

sign_ins as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        country,
        {{ openai_audit.second('occurred_at') }} as second
    from {{ ref('int_openai_audit__remembered') }}
    where {{ openai_audit.signed_in() }}
),

counted as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        second,
        country,
        {{ openai_audit.count_before(begin) }} as before,
        {{ openai_audit.count_before(begin, middle) }} as long_before,
        {{ openai_audit.count_before(begin, counted='country') }} as before_with_country,
        {{ openai_audit.count_before(begin, by='account_id, actor_id, country') }} as before_from_country,
        {{ openai_audit.count_before(begin, by='account_id, country') }} as before_of_others
    from sign_ins
),

-- The hours around each sign-in are usual.
distances as (
    {%- for distance in range(-1 * hours, hours + 1) %}
    select {{ distance }} as distance
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

around as (
    select
        counted.event_id,
        counted.account_id,
        counted.occurred_at,
        counted.actor_id,
        counted.second,
        counted.before >= {{ sign_ins }} and counted.long_before > 0 as is_compared,
        counted.country is not null and counted.before_from_country = 0 and counted.before_with_country >= {{ sign_ins }} as is_new_country,
        counted.before_of_others >= {{ sign_ins }} as is_usual_for_others,
        distances.distance,
        mod(cast(extract(hour from counted.occurred_at) as {{ dbt.type_bigint() }}) + distances.distance + 24, 24) as hour_of_day
    from counted
    cross join distances
),

rated as (
    select
        event_id,
        account_id,
        occurred_at,
        actor_id,
        is_compared,
        is_new_country,
        is_usual_for_others,
        distance,
        {{ openai_audit.count_before(begin, by='account_id, actor_id, hour_of_day') }} = 0 as is_unusual_hour
    from around
)

select
    event_id,
    account_id,
    occurred_at,
    actor_id as entity,
    case when is_new_country and not is_usual_for_others then 'medium' else 'low' end as severity,
    case
        when is_new_country then '{event}; {actor} did not sign in from this country in the {{ days }} days before'
        else '{event}; {actor} did not sign in around this hour in the {{ days }} days before'
    end as sentence
from rated
where is_compared and distance = 0 and (is_new_country or is_unusual_hour)
