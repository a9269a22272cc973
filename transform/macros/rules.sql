{#- What rules use: their settings, the operator's own domains and networks, and the events
    that a run judges. -#}

{#- The value of `openai_audit_rules`, without entries that `check_settings` will reject:
    dbt parses models before that check. -#}
{% macro settings_of_rules() -%}
    {%- set settings = {} -%}
    {%- set given = var('openai_audit_rules') -%}
    {%- for rule, of_the_rule in (given if given is mapping else {}).items() if of_the_rule is mapping -%}
        {%- do settings.update({rule: of_the_rule}) -%}
    {%- endfor -%}
    {{ return(settings) }}
{%- endmacro %}

{#- A parameter of a rule: the value in `openai_audit_rules`, otherwise the default, which
    the card repeats. -#}
{% macro parameter(rule, name, default) -%}
    {{ return((openai_audit.settings_of_rules().get(rule) or {}).get(name, default)) }}
{%- endmacro %}

{#- The rows of a variable as a query: those of a list, or of the relation that it names. A
    name without a dot is a model, one with a dot is used as it is. Plain texts in a list
    are values of the first column. -#}
{% macro listed(variable, columns) -%}
    {%- set given = var(variable) or [] -%}
    {%- set given = given if given is iterable else [] -%}
    {%- if given is string -%}
        select {{ columns | join(', ') }} from {{ given if '.' in given else ref(project_name, given) }}
    {%- else -%}
        {%- set rows = [] -%}
        {%- for item in given or [{}] -%}
            {%- set row = item if item is mapping else {columns[0]: item} -%}
            {%- set cells = [] -%}
            {%- for column in columns -%}
                {%- set value = openai_audit.text_literal(row[column] | string) if row.get(column) is not none and column in row else 'null' -%}
                {%- do cells.append('cast(' ~ value ~ ' as ' ~ dbt.type_string() ~ ') as ' ~ column) -%}
            {%- endfor -%}
            {%- do rows.append('select ' ~ cells | join(', ') ~ ('' if given else ' ' ~ openai_audit.from_nothing())) -%}
        {%- endfor -%}
        {{ rows | join(' union all ') }}
    {%- endif -%}
{%- endmacro %}

{#- The same for the operator's own domains, accounts and networks, in lower case. -#}
{% macro own(variable, column) -%}
    select lower(trim(listed.{{ column }})) as {{ column }}
    from ({{ openai_audit.listed(variable, [column]) }}) as listed
    where listed.{{ column }} is not null
{%- endmacro %}

{#- The package and the model of each rule by name: those of this package, and those of
    `openai_audit_own_rules`, whose names are their models' names. The latter are models of
    the root project: dbt warns if a package refers to one without naming the project. -#}
{% macro models_of_rules() -%}
    {%- set models = {} -%}
    {%- for rule in openai_audit.rules_of_this_package() -%} {%- do models.update({rule: ['openai_audit', 'rule_openai_audit__' ~ rule]}) -%} {%- endfor -%}
    {%- for name in openai_audit.own_rules() -%} {%- do models.update({name: [project_name, name]}) -%} {%- endfor -%}
    {{ return(models) }}
{%- endmacro %}

{% macro own_rules() -%}
    {%- set given = var('openai_audit_own_rules') or [] -%}
    {{ return(given if given is sequence and given is not string and given is not mapping else []) }}
{%- endmacro %}

{#- The cards of the rules by name: the `meta` of each model, and its description. dbt knows
    them only where it executes; while it parses, the result is empty. -#}
{% macro cards() -%}
    {%- set cards = {} -%}
    {%- if execute -%}
        {%- for rule, model in openai_audit.models_of_rules().items() -%}
            {%- set node = graph.nodes['model.' ~ model | join('.')] -%}
            {%- do cards.update({rule: dict(node.config.meta, description=node.description)}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(cards) }}
{%- endmacro %}

{#- A hash of everything that decides how events are judged: the compiled SQL of the rules
    with parameters and lists, the views that they read, and the catalogue. It does not
    cover comments, white space, and rows of a relation that a variable names. -#}
{% macro judged_by(compiled) -%}
    {%- set parts = [compiled, openai_audit.watched_events(none), openai_audit.remembered_events(none)] -%}
    {%- set code = modules.re.sub("(?s)('(?:[^']|'')*')|--[^\n]*|/[*].*?[*]/", '\\1 ', parts | join(' ')) -%}
    {%- set catalogue = graph.nodes['seed.openai_audit.openai_audit__event_types'].checksum.checksum -%}
    {{ return(local_md5(code.split() | join(' ') ~ catalogue)) }}
{%- endmacro %}

{#- The number of a run that adds events. It is a number and not a time, because clocks can
    go back. It keeps growing after a full refresh, so that all events are judged again. -#}
{% macro next_batch(relation) -%}
    {%- set there = load_relation(relation) if execute and relation -%}
    {%- if there and 'batch' in openai_audit.columns_of(there, []) -%}
        {{ return((run_query('select max(batch) from ' ~ there).rows[0][0] or 0) | int + 1) }}
    {%- endif -%}
    {{ return(1) }}
{%- endmacro %}

{#- What a run has to judge: pairs of an account and a time, from which on all its events
    are judged. The time is the start of the day of the oldest event that was not judged
    yet. None stands for all events: in the first run, and after a full refresh. Whether the
    rules have changed is known later, when they are compiled: `judge_all_if_rules_changed`.
    A match can depend on earlier events, so a late event causes all later events to be
    judged again. So results do not depend on the order in which events arrive. -#}
{% macro not_judged() -%}
    {%- set judged = load_relation(ref('int_openai_audit__judged')) if execute -%}
    {%- if not judged or flags.FULL_REFRESH -%} {{ return(none) }} {%- endif -%}
    {%- set events = ref('int_openai_audit__events') -%}
    {%- set done = run_query('select max(batch) from ' ~ judged ~ ' where is_done').rows[0][0] -%}
    {%- set newest = run_query('select max(batch) from ' ~ events).rows[0][0] -%}
    {%- if done is none or (newest or 0) < done -%} {{ return(none) }} {%- endif -%}
    {%- set query -%}
        select account_id, min(occurred_at)
        from {{ events }}
        where batch > {{ done }} and account_id is not null
        group by account_id
    {%- endset -%}
    {%- set accounts = [] -%}
    {%- for row in run_query(query).rows -%} {%- do accounts.append([row[0], (row[1] | string)[:10]]) -%} {%- endfor -%}
    {{ return(accounts) }}
{%- endmacro %}

{#- The same, as `int_openai_audit__watched` has stored it. Rules judge only the events of
    that view. -#}
{% macro being_judged() -%}
    {%- set judged = load_relation(ref('int_openai_audit__judged')) if execute -%}
    {%- if not judged -%} {{ return(none) }} {%- endif -%}
    {%- set query = 'select account_id, judged_from from ' ~ judged ~ ' where not is_done' -%}
    {%- set accounts = [] -%}
    {%- set everything = [] -%}
    {%- for row in run_query(query).rows -%}
        {%- if row[1] is not none -%} {%- do accounts.append([row[0], row[1]]) -%}
        {%- elif row[0] is none -%} {%- do everything.append(row) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(none if everything else accounts) }}
{%- endmacro %}

{#- Whether an event is judged, or lies within `lookback` days before. -#}
{% macro is_judged(accounts, lookback=0) -%}
    {%- if accounts is none -%} {{ return('true') }} {%- endif -%}
    {%- set terms = ['1 = 0'] -%}
    {%- for account, begin in accounts -%}
        {%- do terms.append(
            "(account_id = " ~ openai_audit.text_literal(account)
            ~ " and occurred_at >= " ~ openai_audit.days_before(begin, lookback) ~ ")"
        ) -%}
    {%- endfor -%}
    {{ return("(" ~ terms | join("\n        or ") ~ ")") }}
{%- endmacro %}

{#- Store what a run judges, in place of what an earlier run did not complete. A row without
    an account stands for all events. -#}
{% macro note_what_is_judged() -%}
    {%- set judged = load_relation(ref('int_openai_audit__judged')) if execute -%}
    {%- set rows = [] -%}
    {%- set accounts = openai_audit.not_judged() -%}
    {%- for account, begin in ([[none, none]] if accounts is none else accounts) -%}
        {%- do rows.append(
            "select " ~ (openai_audit.text_literal(account) if account is not none else "cast(null as " ~ dbt.type_string() ~ ")")
            ~ " as account_id, " ~ (openai_audit.days_before(begin, 0) if begin is not none else "cast(null as " ~ dbt.type_timestamp() ~ ")")
            ~ " as judged_from"
        ) -%}
    {%- endfor -%}
    delete from {{ judged }} where not is_done;
    {% if rows -%}
    insert into {{ judged }} (batch, account_id, judged_from, judged_by, is_done)
    select
        coalesce((select max(batch) from {{ ref('int_openai_audit__events') }}), 0),
        account_id, judged_from, cast(null as {{ dbt.type_string() }}), false
    from ({{ rows | join(' union all ') }}) as accounts
    {%- endif %}
{%- endmacro %}

{#- Store the hash of the rules of a run. If it differs from that of the last run, all
    events are judged: the views that the rules read are replaced by those of all events.
    This is a hook of `int_openai_audit__matches`, because rules are compiled into that
    model. -#}
{% macro judge_all_if_rules_changed(compiled) -%}
    {%- set relations = {
        'watched': ref('int_openai_audit__watched'), 'remembered': ref('int_openai_audit__remembered'),
        'events': ref('int_openai_audit__events'), 'judged': ref('int_openai_audit__judged'),
    } -%}
    {%- set judged = load_relation(relations.judged) if execute -%}
    {%- if judged -%}
        {%- set judged_by = openai_audit.judged_by(compiled) -%}
        {%- set last = run_query('select max(judged_by) from ' ~ judged ~ ' where is_done').rows[0][0] -%}
        {%- if last is not none and last != judged_by -%}
            {%- do run_query('create or replace view ' ~ relations.watched ~ ' as ' ~ openai_audit.watched_events(none)) -%}
            {%- do run_query('create or replace view ' ~ relations.remembered ~ ' as ' ~ openai_audit.remembered_events(none)) -%}
            delete from {{ judged }} where not is_done;
            insert into {{ judged }} (batch, account_id, judged_from, judged_by, is_done)
            select
                coalesce((select max(batch) from {{ relations.events }}), 0),
                cast(null as {{ dbt.type_string() }}), cast(null as {{ dbt.type_timestamp() }}), '{{ judged_by }}', false
        {%- else -%}
            update {{ judged }} set judged_by = '{{ judged_by }}' where not is_done
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Older rows are obsolete once a newer run is complete. -#}
{% macro note_that_it_is_judged() -%}
    {%- set judged = load_relation(ref('int_openai_audit__judged')) if execute -%}
    delete from {{ judged }} where is_done and exists (select 1 from {{ judged }} as newer where not newer.is_done);
    update {{ judged }} set is_done = true where not is_done
{%- endmacro %}

{#- Delete the matches that a run writes again. -#}
{% macro forget_what_is_judged_again() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where event_id is null or {{ openai_audit.is_judged(openai_audit.being_judged()) }}
    {%- endif -%}
{%- endmacro %}

{#- Whether an event is the newest of a finding that is not in `existing` yet. Ids as
    literals let a database look up the events before it joins names; with so many that the
    statement would be too long, joining all events is cheaper. -#}
{% macro is_newest_of_a_new_finding(existing) -%}
    {%- set query -%}
        select detected.newest_event_id
        from {{ ref('int_openai_audit__detected') }} as detected
        {%- if existing %}
        left join {{ existing }} as existing on detected.finding_id = existing.finding_id
        where existing.finding_id is null and detected.newest_event_id is not null
        {%- endif %}
    {%- endset -%}
    {%- set most_ids = 2000 -%}
    {%- if existing and execute -%}
        {%- set found = run_query('select newest_event_id from (' ~ query ~ ') as new_ones limit ' ~ (most_ids + 1)).columns[0].values() -%}
        {%- if not found -%} {{ return('1 = 0') }} {%- endif -%}
        {%- if found | length <= most_ids -%} {{ return('event_id in ' ~ openai_audit.text_list(found)) }} {%- endif -%}
    {%- endif -%}
    {{ return('event_id in (' ~ query ~ ')') }}
{%- endmacro %}
