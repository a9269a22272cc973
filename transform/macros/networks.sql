{#- Whether an address lies in a network, in plain SQL: what was logged as an address may be
    any text, and a text that is none lies in no network and is never an error.

    An address becomes a text of bits behind the number of its family, `4` or `6`; a network
    such a text of its first bits. So an address lies in a network if it begins like it. An
    address of IPv4 that is written as one of IPv6 (::ffff:192.0.2.1) is one of IPv4. -#}

{#- PostgreSQL puts the expressions of a subquery in place of its columns, as often as they
    are named, so that those of several levels multiply. This keeps it from that. -#}
{% macro kept_apart() -%} {{ return(adapter.dispatch('kept_apart', 'openai_audit')()) }} {%- endmacro %}
{% macro default__kept_apart() -%} {%- endmacro %}
{% macro postgres__kept_apart() -%} offset 0 {%- endmacro %}

{#- The `bits` of the column `address` of a query; null if it is not an address. The columns
    in `others` are kept unchanged. -#}
{% macro addresses(query, others=[]) -%}
{%- set others = ((others | join(', ')) ~ ', ') if others else '' -%}
{%- set hex = '0123456789abcdef' -%}
{%- set letters = 'ghijklmnopqrstuv' -%}
{%- set octets, groups, lengths, padded, rebuilt, rewritten = [], [], [], [], [], [] -%}
{%- for place in range(1, 5) -%}
    {%- do rebuilt.append('cast(octet_' ~ place ~ ' as ' ~ dbt.type_string() ~ ')') -%}
    {%- set high = 'cast(floor(octet_' ~ place ~ ' / 16.0) as integer) + 1' -%}
    {%- set low = 'cast(mod(octet_' ~ place ~ ', 16) as integer) + 1' -%}
    {%- do rewritten.append("substr('" ~ hex ~ "', " ~ high ~ ", 1) || substr('" ~ hex ~ "', " ~ low ~ ", 1)") -%}
{%- endfor -%}
{%- for place in range(1, 9) -%}
    {%- set group = dbt.split_part('eight', "':'", place) -%}
    {%- do lengths.append('length(' ~ group ~ ') between 1 and 4') -%}
    {%- do padded.append('lpad(' ~ group ~ ", 4, '0')") -%}
{%- endfor -%}
{#- Digits become letters first, so that no bit is taken for a digit. -#}
{%- set bits = ["translate(digits, '" ~ hex ~ "', '" ~ letters ~ "')"] -%}
{%- for value in range(16) -%}
    {%- set digit = (value // 8) ~ (value // 4 % 2) ~ (value // 2 % 2) ~ (value % 2) -%}
    {%- do bits.append('replace(' ~ bits[-1] ~ ", '" ~ letters[value] ~ "', '" ~ digit ~ "')") -%}
{%- endfor -%}
select
    {{ others }}
    address,
    case
        when left(bits, 96) = repeat('0', 80) || repeat('1', 16) then '4' || substr(bits, 97)
        else '6' || bits
    end as bits
from (
    select {{ others }} address, {{ bits[-1] }} as bits
    from (
        select {{ others }} address, case
            when
                length(eight) - length(replace(eight, ':', '')) = 7
                and translate(eight, '{{ hex }}:', '') = ''
                and {{ lengths | join('\n                and ') }}
                then {{ padded | join(' || ') }}
        end as digits
        from (
            -- One gap, `::`, stands for as many groups of zeros as there are too few.
            select {{ others }} address, case
                when gaps = 0 then groups
                when gaps = 1 and missing > 0 then
                    case head when '' then substr(repeat(':0', missing), 2) else head || repeat(':0', missing) end
                    || case rest when '' then '' else ':' || rest end
            end as eight
            from (
                select {{ others }} address, groups, gaps, head, rest, cast(greatest(
                    8 - case head when '' then 0 else length(head) - length(replace(head, ':', '')) + 1 end
                    - case rest when '' then 0 else length(rest) - length(replace(rest, ':', '')) + 1 end, 0
                ) as integer) as missing
                from (
                    select
                        {{ others }} address,
                        groups,
                        (length(groups) - length(replace(groups, '::', ''))) / 2.0 as gaps,
                        {{ dbt.split_part('groups', "'::'", 1) }} as head,
                        {{ dbt.split_part('groups', "'::'", 2) }} as rest
                    from (
                        -- What is written like IPv4 is two groups of IPv6.
                        select {{ others }} address, case
                            when tail not like '%.%' then written
                            when {{ rebuilt | join(" || '.' || ") }} = tail then
                                case when tail = written then '::ffff:' else left(written, length(written) - length(tail)) end
                                || {{ rewritten[:2] | join(' || ') }} || ':' || {{ rewritten[2:] | join(' || ') }}
                        end as groups
                        from (
                            select
                                {{ others }} address,
                                written,
                                tail
                                {%- for place in range(1, 5) %},
                                {%- set octet = openai_audit.number(dbt.split_part('tail', "'.'", place), 'bigint') %}
                                case when {{ octet }} between 0 and 255 then {{ octet }} end as octet_{{ place }}
                                {%- endfor %}
                            from (
                                select {{ others }} address, written, reverse({{ dbt.split_part('reverse(written)', "':'", 1) }}) as tail
                                from (
                                    -- The longest way to write one has 45 characters.
                                    select {{ others }} address, case when length(address) <= 45 then lower(address) end as written
                                    from ({{ query }}) as asked
                                    {{ openai_audit.kept_apart() }}
                                ) as written
                                {{ openai_audit.kept_apart() }}
                            ) as parted
                            {{ openai_audit.kept_apart() }}
                        ) as counted
                        {{ openai_audit.kept_apart() }}
                    ) as grouped
                    {{ openai_audit.kept_apart() }}
                ) as halved
                {{ openai_audit.kept_apart() }}
            ) as measured
            {{ openai_audit.kept_apart() }}
        ) as filled
        {{ openai_audit.kept_apart() }}
    ) as spelled
    {{ openai_audit.kept_apart() }}
) as converted
{%- endmacro %}

{#- The `prefix` of the column `network` of a query: an address, or a range of them as
    192.0.2.0/24, of which only the first bits count. Null where it is neither. -#}
{% macro networks(query, others=[]) -%}
{%- set listed = ((others | join(', ')) ~ ', ') if others else '' -%}
select
    {{ listed }}
    network,
    case
        when size is null then bits
        when address like '%:%' and bits like '4%' then case when size between 96 and 128 then left(bits, cast(size - 95 as integer)) end
        when size between 0 and case when bits like '4%' then 32 else 128 end then left(bits, cast(size + 1 as integer))
    end as prefix
from (
    {{ openai_audit.addresses(
        "select " ~ listed ~ "network, " ~ dbt.split_part('network', "'/'", 1) ~ " as address, case when network like '%/%' then coalesce("
        ~ openai_audit.number("case when translate(" ~ dbt.split_part('network', "'/'", 2) ~ ", '0123456789', '') = '' then " ~ dbt.split_part('network', "'/'", 2) ~ " end", 'bigint')
        ~ ", -1) end as size from (" ~ query ~ ") as ranges where network not like '%/%/%'",
        others + ['network', 'size'],
    ) }}
) as networks
{%- endmacro %}
