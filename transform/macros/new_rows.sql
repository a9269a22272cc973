{#- The rows that an incremental run reads, so that its cost depends on the number of new
    rows. For each account (organization or workspace) these are the rows that were loaded
    since the newest row in `this`, and a day before, because the rows of a batch become
    visible later than they were read. If rows have no load time, they are the events of the
    time in which late events may appear. A new account is read in full. The times are
    looked up first and written into the query as literals, because only then can the
    database estimate how few rows there are. The query and `this` have the columns
    `account_id`, `loaded_at` and `occurred_at`. -#}
{% macro is_new() -%}
    {%- set accounts = openai_audit.newest_loaded(this) if is_incremental() else [] -%}
    {%- if not accounts -%} {{ return('true') }} {%- endif -%}
    {%- set terms = ['account_id is null'] -%}
    {%- for account, loaded_at, occurred_at in accounts -%}
        {%- set since = [] -%}
        {%- if loaded_at is not none -%}
            {%- do since.append("loaded_at >= " ~ openai_audit.days_before(loaded_at, var('openai_audit_overlap_days'))) -%}
        {%- endif -%}
        {%- if occurred_at is none -%}
            {%- do since.append("loaded_at is null") -%}
        {%- else -%}
            {%- do since.append("(loaded_at is null and occurred_at >= " ~ openai_audit.days_before(occurred_at, var('openai_audit_lateness_days')) ~ ")") -%}
        {%- endif -%}
        {%- do terms.append("(account_id = " ~ openai_audit.text_literal(account) ~ " and (" ~ since | join(' or ') ~ "))") -%}
        {#- The ranges between the known accounts: an index shows that no account lies in
            them. -#}
        {%- set beyond = ["account_id > " ~ openai_audit.text_literal(account)] -%}
        {%- if loop.first -%}
            {%- do terms.append("account_id < " ~ openai_audit.text_literal(account)) -%}
        {%- endif -%}
        {%- if not loop.last -%}
            {%- do beyond.append("account_id < " ~ openai_audit.text_literal(loop.nextitem[0])) -%}
        {%- endif -%}
        {%- do terms.append("(" ~ beyond | join(' and ') ~ ")") -%}
    {%- endfor -%}
    {{ return("(" ~ terms | join("\n        or ") ~ ")") }}
{%- endmacro %}

{#- For each account of `this`, in order: when its newest row was loaded, and its newest
    event if there are rows without a load time. -#}
{% macro newest_loaded(this) -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {%- set query -%}
        select
            accounts.account_id,
            (select max(loaded_at) from {{ this }} as known where known.account_id = accounts.account_id),
            case
                when exists (
                    select 1 from {{ this }} as known
                    where known.account_id = accounts.account_id and known.loaded_at is null
                )
                    then (select max(occurred_at) from {{ this }} as known where known.account_id = accounts.account_id)
            end
        from ({{ openai_audit.distinct_accounts(this) }}) as accounts
        order by accounts.account_id
    {%- endset -%}
    {%- set rows = [] -%}
    {%- for row in run_query(query).rows -%} {%- do rows.append([row[0], row[1], row[2]]) -%} {%- endfor -%}
    {{ return(rows) }}
{%- endmacro %}

{% macro distinct_accounts(relation) -%}
    {{ return(adapter.dispatch('distinct_accounts', 'openai_audit')(relation)) }}
{%- endmacro %}

{% macro default__distinct_accounts(relation) -%}
    select distinct account_id from {{ relation }} where account_id is not null
{%- endmacro %}

{#- PostgreSQL would read the whole index; a recursive query jumps from one value to the
    next. -#}
{% macro postgres__distinct_accounts(relation) -%}
    with recursive walk (account_id) as (
        select min(account_id) from {{ relation }}
        union all
        select (select min(account_id) from {{ relation }} as beyond where beyond.account_id > walk.account_id)
        from walk where walk.account_id is not null
    )
    select account_id from walk where account_id is not null
{%- endmacro %}

{#- Whether a row of a model that has the column `batch` is of a later one than `this`. -#}
{% macro is_of_a_new_batch() -%}
    {%- set last = run_query('select max(batch) from ' ~ this).rows[0][0] if execute and is_incremental() -%}
    {{ return('true' if last is none or last is undefined else 'batch > ' ~ (last | int)) }}
{%- endmacro %}

{#- A table that was just created has no statistics until the server collects them; without
    statistics, the next run would read all of it. -#}
{% macro analyze_first_build() -%}
    {%- if target.type == 'postgres' and not is_incremental() -%} analyze {{ this }} {%- endif -%}
{%- endmacro %}

{% macro days_before(moment, days) -%}
    {{ dbt.dateadd('day', -1 * (days | int), "cast('" ~ (moment | string)[:26] ~ "' as " ~ dbt.type_timestamp() ~ ")") }}
{%- endmacro %}

{% macro text_list(texts) -%}
    {%- set literals = [] -%}
    {%- for text in texts -%} {%- do literals.append(openai_audit.text_literal(text)) -%} {%- endfor -%}
    {{ return('(' ~ literals | join(', ') ~ ')') }}
{%- endmacro %}

{% macro text_literal(text) -%} {{ return(dbt.string_literal(dbt.escape_single_quotes(text))) }} {%- endmacro %}


{#- The days that an incremental run of `int_openai_audit__counted_days` counts: pairs of an
    account and a day. They are looked up first, for the same reason. -#}
{% macro days_to_count() -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {%- set query -%}
        select distinct account_id, {{ dbt.date_trunc('day', 'occurred_at') }} as day
        from {{ ref('stg_openai_audit__audit_logs') }}
        where account_id is not null and {{ openai_audit.is_new() }}

        union distinct

        select digests.account_id, digests.day
        from {{ ref('int_openai_audit__digests') }} as digests
        left join {{ this }} as counted
            on
                digests.account_id = counted.account_id
                and digests.source = counted.source
                and digests.day = counted.day
                and digests.updated_at = counted.digest_updated_at
        where counted.day is null

        union distinct

        {{ openai_audit.counted_long_ago() }}
    {%- endset -%}
    {{ return(openai_audit.pairs(query)) }}
{%- endmacro %}

{#- Those that an incremental run of `int_openai_audit__counted_files` counts: the days on
    which files end. -#}
{% macro file_days_to_count() -%}
    {%- if not execute -%} {{ return([]) }} {%- endif -%}
    {%- set query -%}
        select distinct account_id, day
        from {{ ref('stg_openai_audit__workspace_log_files') }}
        where account_id is not null and {{ openai_audit.is_new() }}

        union distinct

        {{ openai_audit.counted_long_ago() }}
    {%- endset -%}
    {{ return(openai_audit.pairs(query)) }}
{%- endmacro %}

{#- The days of `this` whose last count is older than a day, the oldest counts first. -#}
{% macro counted_long_ago() -%}
    select account_id, day
    from (
        select account_id, day, row_number() over (order by min(counted_at), day) as place
        from {{ this }}
        group by account_id, day
        having min(counted_at) < {{ dbt.dateadd('day', -1, openai_audit.now()) }}
    ) as long_ago
    where place <= {{ var('openai_audit_recount_days') }}
{%- endmacro %}

{% macro pairs(query) -%}
    {%- set found = [] -%}
    {%- for row in run_query(query).rows -%} {%- do found.append([row[0], row[1]]) -%} {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- Whether a time lies within one of these days of its account; without days, always true. -#}
{% macro within_days(days, moment='occurred_at') -%}
    {%- if days is none or days is undefined -%} {{ return('true') }} {%- endif -%}
    {%- set terms = ['1 = 0'] -%}
    {%- for account, day in days -%}
        {%- do terms.append(
            "(account_id = " ~ openai_audit.text_literal(account)
            ~ " and " ~ moment ~ " >= " ~ openai_audit.days_before(day, 0)
            ~ " and " ~ moment ~ " < " ~ openai_audit.days_before(day, -1) ~ ")"
        ) -%}
    {%- endfor -%}
    {{ return("(" ~ terms | join("\n        or ") ~ ")") }}
{%- endmacro %}

{#- Create the indexes for an account's new rows and for whole days on a table of the tap.
    Only in PostgreSQL, and only the table's owner can. -#}
{% macro index_raw(name, account, moments) -%}
    {%- set asked_for = var('openai_audit_create_indexes') or env_var('DBT_CREATE_INDEXES', 'false') | lower == 'true' -%}
    {%- if execute and target.type == 'postgres' and asked_for -%}
        {%- for relation in openai_audit.raw_relations(name) -%}
            {%- set there = openai_audit.columns_of(relation, []) -%}
            {%- for moment in moments if moment in there and account in there %}
            do $$ begin
                create index if not exists {{ name }}_by_{{ moment | trim('_') }}
                on {{ relation }} ({{ account }}, {{ adapter.quote(moment) }});
            exception when insufficient_privilege then
                raise notice 'no index on {{ name }}, because only its owner may create one: docs/answers.md';
            end $$;
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
