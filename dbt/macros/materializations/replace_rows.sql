{#-
    The incremental strategy of the marts: all rows out, all rows in, in the transaction that dbt holds open. Readers
    see the rows of before until it commits and those of after from then on, never an empty table, and block nobody.
-#}
{% macro get_incremental_replace_rows_sql(arg_dict) %}
    {%- set columns = arg_dict.get("column_names") or arg_dict["dest_columns"] | map(attribute="quoted") | join(", ") -%}
    delete from {{ arg_dict["target_relation"] }};
    insert into {{ arg_dict["target_relation"] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict["temp_relation"] }}
{% endmacro %}
