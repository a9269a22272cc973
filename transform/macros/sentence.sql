{#- The sentence of an event, from the columns of `openai_audit__events`: the actor, then the
    template of its type with placeholders filled in. A type has a second template for events
    without a detail that the first one names; a type that is not in the catalogue is named.
    An outcome other than success is appended if the feed has outcomes, except for types that
    mean a failure. -#}
{% macro sentence() -%}
    {%- set details = {
        'role': openai_audit.spoken('role'),
        'name': openai_audit.in_quotes('new_name'),
        'setting': openai_audit.in_quotes('setting'),
        'target': openai_audit.spoken('target'),
    } -%}
    {%- set lacking = [] -%}
    {%- for placeholder, text in details.items() -%}
        {%- do lacking.append("(sentence like '%{" ~ placeholder ~ "}%' and " ~ ('new_name' if placeholder == 'name' else placeholder) ~ " is null)") -%}
    {%- endfor -%}
    {%- set filled = ['case when ' ~ lacking | join(' or ') ~ ' then otherwise else sentence end'] -%}
    {%- do details.update({'object': openai_audit.object_phrase(), 'from': openai_audit.from_phrase()}) -%}
    {%- for placeholder, text in details.items() -%}
        {%- do filled.append("replace(" ~ filled[-1] ~ ", '{" ~ placeholder ~ "}', coalesce(" ~ text ~ ", ''))") -%}
    {%- endfor -%}
    {{ openai_audit.actor_phrase() }} || ' ' || coalesce(
        {{ filled[-1] }},
        {{ openai_audit.plain_phrase() }}
    ) || case
        when source = 'workspace_audit' and outcome = 'blocked' then ', which was blocked'
        when source = 'workspace_audit' and outcome = 'failed' then ', which failed'
        else ''
    end || case
        when project_id is not null and coalesce(object_kind, '') != 'project'
            then ' in the project ' || coalesce({{ openai_audit.in_quotes('project_name') }}, {{ openai_audit.spoken('project_id') }})
        else ''
    end
{%- endmacro %}

{% macro actor_phrase() -%}
    {%- set person -%}
        coalesce(
            {{ openai_audit.spoken('actor_name') }} || coalesce(' (' || {{ openai_audit.spoken('actor_email') }} || ')', ''),
            {{ openai_audit.spoken('actor_email') }},
            case actor_kind when 'user' then 'user ' when 'service_account' then 'service account ' when 'external_user' then 'external user ' else '' end
            || {{ openai_audit.spoken('actor_id') }}
        )
    {%- endset -%}
    coalesce(
        case
            when actor_kind = 'other' then 'an unknown actor (' || {{ openai_audit.spoken('actor_type') }} || ')'
            when api_key_id is not null
                then 'key ' || coalesce({{ openai_audit.in_quotes('api_key_name') }}, {{ openai_audit.spoken('api_key_id') }})
                    || case when actor_kind = 'api_key' then '' else coalesce(' of ' || {{ person }}, '') end
            else {{ person }}
        end,
        'an unknown actor'
    )
{%- endmacro %}

{% macro object_phrase() -%}
    case
        when object_kind = 'user' then coalesce(
            {{ openai_audit.spoken('object_name') }}, 'user ' || {{ openai_audit.spoken('object_id') }}, 'a user'
        )
        when object_kind = 'invite' then coalesce(
            {{ openai_audit.spoken('object_name') }}, 'a person (' || {{ openai_audit.spoken('object_id') }} || ')', 'a person'
        )
        when object_kind = 'organization' then coalesce(
            'the organization ' || {{ openai_audit.in_quotes('object_name') }}, 'the organization'
        )
        else coalesce(
            'the ' || object_noun || ' ' || coalesce({{ openai_audit.in_quotes('object_name') }}, {{ openai_audit.spoken('object_id') }}),
            {{ openai_audit.with_article('object_noun') }}
        )
    end
{%- endmacro %}

{% macro from_phrase() -%}
    ' from ' || {{ openai_audit.spoken('ip_address') }} || coalesce(
        ' (' || coalesce({{ openai_audit.spoken('city') }} || ', ' || {{ openai_audit.spoken('country') }}, {{ openai_audit.spoken('country') }}, {{ openai_audit.spoken('city') }}) || ')', ''
    )
{%- endmacro %}

{% macro plain_phrase() -%}
    case
        when workspace_id is not null
            then 'performed ' || coalesce({{ openai_audit.in_quotes("replace(action, '_', ' ')") }}, 'an unknown action')
                || ' in the ChatGPT workspace'
        else 'performed ' || coalesce({{ openai_audit.in_quotes('event_type') }}, 'an unknown action')
            || coalesce(' on ' || coalesce({{ openai_audit.in_quotes('object_name') }}, {{ openai_audit.spoken('object_id') }}), '')
    end
{%- endmacro %}

{#- The sentence of a finding: the template of the rule, filled in from the newest event. -#}
{% macro finding_sentence() -%}
    {%- set actor -%}
        coalesce({{ openai_audit.spoken('actor_name') }}, {{ openai_audit.spoken('actor_email') }}, {{ openai_audit.spoken('actor_id') }}, 'an unknown actor')
    {%- endset -%}
    {%- set object -%}
        coalesce(
            replace(object_kind, '_', ' ') || ' ' || coalesce({{ openai_audit.in_quotes('object_name') }}, {{ openai_audit.spoken('object_id') }}),
            'something'
        )
    {%- endset -%}
    replace(replace(replace(sentence, '{actor}', {{ actor }}), '{object}', {{ object }}), '{event}', coalesce(event_sentence, ''))
{%- endmacro %}
