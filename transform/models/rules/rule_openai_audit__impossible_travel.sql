{%- set speed = openai_audit.parameter('impossible_travel', 'kilometers_per_hour', 900) -%}
{%- set least_distance = openai_audit.parameter('impossible_travel', 'kilometers', 500) -%}
with

-- Without a place the coordinates are null: a sine of infinity would be an error.
sign_ins as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        {{ openai_audit.second('occurred_at') }} as second,
        case when {{ openai_audit.is_a_place() }} then latitude end as latitude,
        case when {{ openai_audit.is_a_place() }} then longitude end as longitude
    from {{ ref('int_openai_audit__watched') }}
    where {{ openai_audit.signed_in() }} and actor is not null
),

pairs as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        latitude,
        longitude,
        second - lag(second) over (partition by account_id, actor order by occurred_at, event_id) as seconds,
        lag(latitude) over (partition by account_id, actor order by occurred_at, event_id) as latitude_before,
        lag(longitude) over (partition by account_id, actor order by occurred_at, event_id) as longitude_before
    from sign_ins
    where latitude is not null and longitude is not null
),

ways as (
    select
        event_id,
        account_id,
        occurred_at,
        actor,
        seconds,
        {{ openai_audit.kilometers_between('latitude_before', 'longitude_before', 'latitude', 'longitude') }} as kilometers
    from pairs
    -- A run may not have earlier events.
    where seconds <= 86400
)

select
    event_id,
    account_id,
    occurred_at,
    actor as entity,
    'medium' as severity,
    '{event}, ' || cast(cast(round(kilometers) as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}) || ' km from where {actor} signed in '
    || cast(cast(floor(seconds / 60) as {{ dbt.type_bigint() }}) as {{ dbt.type_string() }}) || ' minutes earlier' as sentence
from ways
where kilometers >= {{ least_distance }} and kilometers * 3600 > seconds * {{ speed }}
