{#-
    `<target schema>_<custom schema>`: analytics_staging, analytics_intermediate, analytics_mart. Spelled out, although
    it is what dbt does by itself, because dashboards depend on these names.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if custom_schema_name is none -%}
        {{ target.schema }}
    {%- else -%}
        {{ target.schema }}_{{ custom_schema_name | trim }}
    {%- endif -%}
{%- endmacro %}
