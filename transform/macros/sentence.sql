{#- The sentence of an event, from the columns of `openai_audit__events`: the actor, then the
    template of its type with placeholders filled in, then what else changed, and the project.
    A type has a second template for events without a detail that the first one names; a type
    that is not in the catalogue is named. An outcome other than success is appended if the
    feed has outcomes, except for types that mean a failure. -#}
{% macro sentence() -%}
    {%- set details = {
        'role': openai_audit.spoken('role'),
        'name': 'case when is_renamed then ' ~ openai_audit.in_quotes('new_name') ~ ' end',
        'setting': openai_audit.in_quotes('setting'),
        'target': openai_audit.target_phrase(),
        'principal': 'case when is_of_another_kind then ' ~ openai_audit.principal_phrase() ~ ' end',
    } -%}
    {#- What has to be known, where it is less than the whole phrase. -#}
    {%- set needed = {
        'name': 'is_renamed',
        'target': '(target is not null)',
        'principal': "(is_of_another_kind and object_kind in ('user', 'service_account', 'group'))",
        'role': '(role is not null)',
        'setting': '(setting is not null)',
    } -%}
    {%- set lacking = [] -%}
    {%- for placeholder in details -%}
        {%- do lacking.append("(sentence like '%{" ~ placeholder ~ "}%' and not " ~ needed[placeholder] ~ ")") -%}
    {%- endfor -%}
    {%- set filled = ['case when ' ~ lacking | join(' or ') ~ ' then otherwise else sentence end'] -%}
    {%- do details.update({
        'object': openai_audit.object_phrase(),
        'from': openai_audit.from_phrase(),
        'a_role': openai_audit.role_phrase(),
        'on': "' on ' || " ~ openai_audit.target_phrase(),
        'former': "' from ' || " ~ openai_audit.spoken('former_role'),
        'why': openai_audit.error_phrase(),
    }) -%}
    {%- for placeholder, text in details.items() -%}
        {%- do filled.append("replace(" ~ filled[-1] ~ ", '{" ~ placeholder ~ "}', coalesce(" ~ text ~ ", ''))") -%}
    {%- endfor -%}
    {{ openai_audit.actor_phrase() }} || ' ' || coalesce(
        {{ filled[-1] }} || {{ openai_audit.further_changes() }},
        {{ openai_audit.plain_phrase() }}
    ) || case
        when source = 'workspace_audit' and outcome = 'blocked' then ', which was blocked'
        when source = 'workspace_audit' and outcome = 'failed' then ', which failed'
        else ''
    end || case
        -- The target has said it.
        when resource_is_project and (sentence like '%{target}%' or sentence like '%{on}%') then ''
        when place_id is not null and coalesce(object_kind, '') != 'project'
            then ' in the project ' || coalesce({{ openai_audit.in_quotes('place_name') }}, {{ openai_audit.spoken('place_id') }})
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

{#- The object as sentences call it: by its name of before the event, or else by its id. One
    whose only known name is that which the event gives it is not called by a name, and an id
    of another kind of object is not taken for one of this kind. -#}
{% macro object_phrase() -%}
    {%- set several = {
        'certificates.activated': 'certificates',
        'certificates.deactivated': 'certificates',
        'ip_allowlist.config.activated': 'configs',
        'ip_allowlist.config.deactivated': 'configs',
    } -%}
    case
        {%- for event_type, path in several.items() %}
        when event_type = '{{ event_type }}' and {{ openai_audit.json_has_several('details', path) }}
            then 'the ' || object_noun || 's ' || {{ openai_audit.json_spoken('details', path, ['name', 'id'], quoted=true) }}
        {%- endfor %}
        when is_of_another_kind or is_without_former_name then
            case when expected_kind = 'invite' then 'a person' when expected_kind = 'organization' then 'the organization' else {{ openai_audit.with_article('object_noun') }} end
        when object_kind in ('user', 'service_account', 'group') and expected_kind = 'user' then coalesce(
            {{ openai_audit.principal_phrase() }}, 'a ' || replace(object_kind, '_', ' ')
        )
        when object_kind = 'user' then coalesce({{ openai_audit.principal_phrase() }}, 'a user')
        when object_kind = 'invite' then coalesce(
            {{ openai_audit.spoken('former_name') }}, 'a person (' || {{ openai_audit.spoken('object_id') }} || ')', 'a person'
        )
        when object_kind = 'organization' then coalesce(
            'the organization ' || {{ openai_audit.in_quotes('former_name') }}, 'the organization'
        )
        else coalesce(
            'the ' || object_noun || ' ' || coalesce({{ openai_audit.in_quotes('former_name') }}, {{ openai_audit.spoken('object_id') }}),
            {{ openai_audit.with_article('object_noun') }}
        )
    end
{%- endmacro %}

{#- The user, service account or group that an id is of. -#}
{% macro principal_phrase() -%}
    case object_kind
        when 'user' then coalesce({{ openai_audit.spoken('former_name') }}, 'user ' || {{ openai_audit.spoken('object_id') }})
        when 'service_account' then 'the service account ' || coalesce({{ openai_audit.in_quotes('former_name') }}, {{ openai_audit.spoken('object_id') }})
        when 'group' then 'the group ' || coalesce({{ openai_audit.in_quotes('former_name') }}, {{ openai_audit.spoken('object_id') }})
    end
{%- endmacro %}

{#- The role that is given or taken: itself the object of an event, or named by it. -#}
{% macro role_phrase() -%}
    case
        when object_kind = 'role' and object_id is not null
            then 'the role ' || coalesce({{ openai_audit.in_quotes('former_name') }}, {{ openai_audit.spoken('object_id') }})
        else coalesce('the role ' || coalesce({{ openai_audit.in_quotes('assigned_role_name') }}, {{ openai_audit.spoken('assigned_role_id') }}), 'a role')
    end
{%- endmacro %}

{% macro target_phrase() -%}
    case
        when resource_is_project and place_id is not null
            then 'the project ' || coalesce({{ openai_audit.in_quotes('place_name') }}, {{ openai_audit.spoken('place_id') }})
        when resource_is_project then 'a project'
        when event_type in ('ip_allowlist.created', 'ip_allowlist.updated')
            then coalesce({{ openai_audit.json_spoken('details', 'allowed_ips') }}, {{ openai_audit.spoken('target') }})
        else {{ openai_audit.spoken('target') }}
    end
{%- endmacro %}

{% macro from_phrase() -%}
    ' from ' || {{ openai_audit.spoken('ip_address') }} || coalesce(
        ' (' || coalesce({{ openai_audit.spoken('city') }} || ', ' || {{ openai_audit.spoken('country') }}, {{ openai_audit.spoken('country') }}, {{ openai_audit.spoken('city') }}) || ')', ''
    )
{%- endmacro %}

{% macro error_phrase() -%}
    {%- set code = openai_audit.spoken("nullif(" ~ openai_audit.json_text('details', 'error_code') ~ ", '')") -%}
    {%- set message = openai_audit.spoken("nullif(" ~ openai_audit.json_text('details', 'error_message') ~ ", '')") -%}
    ': ' || coalesce({{ message }} || coalesce(' (' || {{ code }} || ')', ''), {{ code }})
{%- endmacro %}

{#- What an event says beyond the template of its type. -#}
{% macro further_changes() -%}
    {%- set renamed -%}
        case when is_renamed then ' and renamed it to ' || {{ openai_audit.in_quotes('new_name') }} end
    {%- endset -%}
    {%- set clauses = {
        'api_key.created': [
            "', with the scopes ' || coalesce(" ~ openai_audit.json_spoken('details', 'data.scopes') ~ ', ' ~ openai_audit.json_spoken('details', 'changes_requested.scopes') ~ ')',
        ],
        'api_key.updated': [
            "' and set its scopes to ' || coalesce(" ~ openai_audit.json_spoken('details', 'changes_requested.scopes') ~ ', ' ~ openai_audit.json_spoken('details', 'data.scopes') ~ ')',
            "' and let it expire after ' || " ~ openai_audit.spoken(openai_audit.json_text('details', 'changes_requested.expires_in_seconds')) ~ " || ' seconds'",
        ],
        'service_account.updated': [renamed],
        'organization.updated': [
            renamed | replace('renamed it', 'renamed the organization'),
            "' and set the description to ' || " ~ openai_audit.in_quotes(openai_audit.json_text('details', 'changes_requested.description')),
            "' and set the projects whose API calls are logged to ' || coalesce(" ~ openai_audit.json_spoken('details', 'changes_requested.api_call_logging_project_ids') ~ ', ' ~ openai_audit.in_quotes(openai_audit.json_text('details', 'changes_requested.api_call_logging_project_ids')) ~ ')',
        ],
        'role.created': [
            "', with the permissions ' || " ~ openai_audit.gained_permissions(spoken=true),
        ],
        'role.updated': [
            "' and set its description to ' || " ~ openai_audit.in_quotes(openai_audit.json_text('details', 'changes_requested.description')),
            "' and added the permissions ' || " ~ openai_audit.gained_permissions(spoken=true),
            "' and removed the permissions ' || " ~ openai_audit.json_spoken('details', 'changes_requested.permissions_removed'),
        ],
        'role.bound_to_resource': [
            "', with the permissions ' || " ~ openai_audit.gained_permissions(spoken=true),
        ],
        'role.unbound_from_resource': [
            "', which leaves it the permissions ' || " ~ openai_audit.json_spoken('details', 'permissions'),
        ],
    } -%}
    {%- for path, said in {'threads_ui_visibility': 'the threads page', 'usage_dashboard_visibility': 'the usage dashboard'}.items() -%}
        {%- do clauses['organization.updated'].append(
            "' and showed " ~ said ~ " to ' || " ~ openai_audit.in_quotes('coalesce(' ~ openai_audit.json_text('details', 'changes_requested.' ~ path) ~ ', ' ~ openai_audit.json_text('details', 'changes_requested.settings.' ~ path) ~ ')')
        ) -%}
    {%- endfor -%}
    {%- set limits = [] -%}
    {%- for name, said in openai_audit.rate_limits().items() -%}
        {%- do limits.append("' and set the limit of " ~ said ~ " to ' || " ~ openai_audit.spoken(openai_audit.json_text('details', 'changes_requested.' ~ name))) -%}
    {%- endfor -%}
    {%- do clauses.update({'rate_limit.updated': limits}) -%}
    case event_type
        {%- for event_type, parts in clauses.items() %}
        when '{{ event_type }}' then {% for part in parts %}coalesce({{ part }}, ''){{ ' || ' if not loop.last }}{% endfor %}
        {%- endfor %}
        else ''
    end
{%- endmacro %}

{#- The limits of `rate_limit.updated`, and what sentences call them. -#}
{% macro rate_limits() -%}
    {{ return({
        'max_requests_per_1_minute': 'requests per minute',
        'max_tokens_per_1_minute': 'tokens per minute',
        'max_images_per_1_minute': 'images per minute',
        'max_audio_megabytes_per_1_minute': 'megabytes of audio per minute',
        'max_requests_per_1_day': 'requests per day',
        'batch_1_day_max_input_tokens': 'input tokens of batches per day',
    }) }}
{%- endmacro %}

{#- The kind of object that an id is of, by how OpenAI's ids begin; null where that does not
    say it. -#}
{% macro kind_of_id(id) -%}
    case
        when left({{ id }}, 5) in ('user-', 'user_') then 'user'
        when left({{ id }}, 4) in ('svc_', 'svc-') then 'service_account'
        when left({{ id }}, 6) in ('group-', 'group_') then 'group'
        when left({{ id }}, 16) = 'role_assignment_' then null
        when left({{ id }}, 5) in ('role-', 'role_') then 'role'
        when left({{ id }}, 5) in ('proj-', 'proj_') then 'project'
    end
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
