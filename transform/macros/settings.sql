{#- The variables are checked when the first model is built: a misspelt setting would have
    no effect, or a wrong one. -#}

{% macro check_settings() -%}
    {%- if execute -%}
        {%- set cards = {} -%}
        {%- set own = var('openai_audit_own_rules') or [] -%}
        {{ openai_audit.check_own_rules(own) }}
        {%- for node in graph.nodes.values() if node.name.startswith('rule_openai_audit__') or (node.name in own and node.package_name == project_name) -%}
            {%- do cards.update({node.name | replace('rule_openai_audit__', ''): node.config.meta}) -%}
        {%- endfor -%}
        {{ openai_audit.check_sources(var('openai_audit_sources') or []) }}
        {%- set rules = var('openai_audit_rules') or {} -%}
        {%- if rules is not mapping -%}
            {{ openai_audit.wrong('openai_audit_rules', 'is not a mapping of rules to settings') }}
        {%- endif -%}
        {%- for rule, settings in rules.items() -%}
            {{ openai_audit.check_rule(cards, rule, settings) }}
        {%- endfor -%}
        {{ openai_audit.check_suppressions(cards, var('openai_audit_suppressions') or []) }}
        {%- for name in ['own_domains', 'own_cloud_accounts', 'own_networks', 'break_glass_accounts'] -%}
            {{ openai_audit.check_texts('openai_audit_' ~ name, var('openai_audit_' ~ name) or []) }}
        {%- endfor -%}
        {{ openai_audit.check_networks('openai_audit_own_networks', var('openai_audit_own_networks') or []) }}
    {%- endif -%}
{%- endmacro %}

{% macro wrong(variable, what) -%}
    {{ exceptions.raise_compiler_error(variable ~ ' ' ~ what ~ ': correct the variable, see ' ~ ('docs/answers.md' if variable == 'openai_audit_sources' else 'docs/detections.md')) }}
{%- endmacro %}

{% macro check_sources(places) -%}
    {%- if places is mapping or places is string -%} {{ openai_audit.wrong('openai_audit_sources', 'is not a list') }} {%- endif -%}
    {%- for place in places if place is not mapping or not place.get('schema') -%}
        {{ openai_audit.wrong('openai_audit_sources', 'has an item without a schema') }}
    {%- endfor -%}
{%- endmacro %}

{% macro check_rule(cards, rule, settings) -%}
    {%- set place = 'openai_audit_rules.' ~ rule -%}
    {%- if rule not in cards -%} {{ openai_audit.wrong(place, 'is no rule') }} {%- endif -%}
    {%- if settings is not mapping -%} {{ openai_audit.wrong(place, 'is not a mapping of settings') }} {%- endif -%}
    {%- set parameters = cards[rule].get('parameters', {}) -%}
    {%- for name, value in settings.items() -%}
        {%- set place = 'openai_audit_rules.' ~ rule ~ '.' ~ name -%}
        {%- if name == 'enabled' -%}
            {%- if value is not boolean -%} {{ openai_audit.wrong(place, 'is neither true nor false') }} {%- endif -%}
        {%- elif name == 'severity' -%}
            {%- if value not in ['critical', 'high', 'medium', 'low', 'info'] -%}
                {{ openai_audit.wrong(place, 'is none of critical, high, medium, low, info') }}
            {%- endif -%}
        {%- elif name not in parameters -%}
            {{ openai_audit.wrong(place, 'is no setting of the rule, which has ' ~ (['enabled', 'severity'] + parameters.keys() | list) | join(', ')) }}
        {%- elif parameters[name].default is integer -%}
            {%- if value is not integer or value < 1 -%} {{ openai_audit.wrong(place, 'is not a whole number from 1 on') }} {%- endif -%}
            {%- if value > parameters[name].get('at_most', value) -%}
                {{ openai_audit.wrong(place, 'is more than ' ~ parameters[name].at_most) }}
            {%- endif -%}
        {%- else -%}
            {{ openai_audit.check_texts(place, value) }}
            {%- if value is string or (parameters[name].default and not value) -%}
                {{ openai_audit.wrong(place, 'is not a list with at least one text') }}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- What `openai_audit__findings` needs from a rule of another package. The SQL of a rule is
    part of the hash that decides whether events are judged again only if it is ephemeral. -#}
{% macro check_own_rules(own) -%}
    {%- if own is string or own is mapping or own is number -%} {{ openai_audit.wrong('openai_audit_own_rules', 'is not a list of names of models') }} {%- endif -%}
    {%- for name in own -%}
        {%- set place = 'openai_audit_own_rules: ' ~ name -%}
        {%- set config = graph.nodes.get('model.' ~ project_name ~ '.' ~ name, {}).get('config') -%}
        {%- if not config -%} {{ openai_audit.wrong(place, 'is no model of ' ~ project_name) }} {%- endif -%}
        {%- set meta = config.meta -%}
        {%- set lacks = ['title', 'severity', 'kind', 'window', 'remediation'] | reject('in', meta.keys() | list) | list -%}
        {%- if lacks -%} {{ openai_audit.wrong(place, 'lacks ' ~ lacks | join(', ') ~ ' in the meta of its model') }} {%- endif -%}
        {%- for key, known in {
            'severity': ['critical', 'high', 'medium', 'low', 'info'],
            'kind': ['monotone', 'baseline', 'snapshot'],
            'window': ['day', 'week', 'month', 'ever'],
        }.items() if meta[key] not in known -%}
            {{ openai_audit.wrong(place, 'has a ' ~ key ~ ' that is none of ' ~ known | join(', ')) }}
        {%- endfor -%}
        {%- if config.materialized != 'ephemeral' -%} {{ openai_audit.wrong(place, 'is not materialized as ephemeral') }} {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro check_suppressions(cards, suppressions) -%}
    {%- set place = 'openai_audit_suppressions' -%}
    {%- if suppressions is mapping or suppressions is number -%}
        {{ openai_audit.wrong(place, 'is neither a list nor the name of a relation') }}
    {%- endif -%}
    {%- for item in suppressions if suppressions is not string -%}
        {%- if item is not mapping or item.keys() | reject('in', ['rule', 'entity', 'until', 'reason']) | list -%}
            {{ openai_audit.wrong(place, 'has an item that is not made of rule, entity, until and reason') }}
        {%- elif item.get('rule') is none and item.get('entity') is none -%}
            {{ openai_audit.wrong(place, 'has an item without rule and entity, which would suppress everything') }}
        {%- elif item.get('rule') is not none and item.rule not in cards -%}
            {{ openai_audit.wrong(place ~ ': ' ~ item.rule, 'is no rule') }}
        {%- elif item.get('until') is not none and not modules.re.match('[0-9]{4}-[01][0-9]-[0-3][0-9]', item.until | string) -%}
            {{ openai_audit.wrong(place, 'has an item whose until is not written as in 2027-01-31') }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- A list of texts, or one text for the name of a relation. A number may have lost the zeros
    that it began with. -#}
{% macro check_texts(place, value) -%}
    {%- if value is string -%}
        {%- if '.' not in value and not graph.nodes.values() | selectattr('name', 'equalto', value) | list -%}
            {{ openai_audit.wrong(place, 'is a text and no model has that name; a list of one is written [' ~ value ~ ']') }}
        {%- endif -%}
    {%- elif value is mapping or value is number or value is boolean -%}
        {{ openai_audit.wrong(place, 'is neither a list of texts nor the name of a relation') }}
    {%- else -%}
        {%- for item in value if item is not string -%}
            {{ openai_audit.wrong(place, 'has an item that is no text: write it in quotes') }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Addresses and ranges, checked by their form: with an invalid one all addresses would
    count as outside, in findings that remain. -#}
{% macro check_networks(place, value) -%}
    {%- for item in value if value is not string -%}
        {%- set size = (item | trim).partition('/')[2] -%}
        {%- if not modules.re.match('([0-9]{1,3}([.][0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)(/[0-9]{1,3})?$', item | trim) or size | int > (128 if ':' in item else 32) -%}
            {{ openai_audit.wrong(place, 'has an item that is no address and no range as 192.0.2.0/24') }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
