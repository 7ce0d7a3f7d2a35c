{#-
    Tables of the rows that break a rule: dbt gives a generic test a name of 63 characters that ends in a hash. Shorter
    ones still tell what they are, and the query that shows the rows fits into a line of a terminal.
-#}
{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- set name = custom_alias_name | trim if custom_alias_name else node.name -%}
    {%- if node.resource_type == 'test' and name | length > 48 -%}
        {{ name[:39] }}_{{ local_md5(node.name)[:8] }}
    {%- elif not custom_alias_name and node.version -%}
        {{ name }}_v{{ node.version | string | replace('.', '_') }}
    {%- else -%}
        {{ name }}
    {%- endif -%}
{%- endmacro %}
