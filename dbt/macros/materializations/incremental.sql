{#-
    A mart's rows are replaced in two statements: the new rows are computed into a temporary table, and, where its
    columns are those of the mart, they take the place of the old ones. dbt's own way asks for the columns of both
    tables five times over, which takes longer than the rows. It is gone where the columns have changed, where there is
    no mart yet, and for whatever it knows besides.
-#}
{% materialization incremental, adapter="postgres" %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set is_plain = (
        config.get("incremental_strategy") == "replace_rows" and not should_full_refresh()
        and not (pre_hooks or post_hooks or config.get("grants") or config.get("sql_header"))
    ) -%}
    {%- if not is_plain or existing_relation is none or not existing_relation.is_table -%}
        {{ return(dbt.materialization_incremental_default()) }}
    {%- endif -%}

    {%- set temp_relation = make_temp_relation(this) -%}
    {%- call statement("computed", fetch_result=True) -%}
        create temporary table {{ temp_relation }} on commit drop as (
            {{ sql }}
        );
        select
            {{ columns_of(temp_relation) }} = {{ columns_of(this) }} as has_same_columns,
            {{ column_names_of(this) }} as column_names,
            {{ descriptions_of(this) }} as descriptions
    {%- endcall -%}
    {%- set found = load_result("computed").table.rows[0] -%}
    {%- if not found["has_same_columns"] -%}
        {%- do adapter.commit() -%}
        {{ return(dbt.materialization_incremental_default()) }}
    {%- endif -%}

    {%- call statement("main") -%}
        {{ get_incremental_replace_rows_sql({
            "target_relation": this, "temp_relation": temp_relation, "column_names": found["column_names"]
        }) }}
    {%- endcall -%}
    {%- if found["descriptions"] != wanted_descriptions(model) -%}
        {%- do default__persist_docs(this, model, true, true) -%}
    {%- endif -%}
    {%- do adapter.commit() -%}

    {{ return({"relations": [this.incorporate(type="table")]}) }}
{% endmaterialization %}

{#- The columns of a relation, each with its type, as an array that can be compared. -#}
{% macro columns_of(relation) -%}
    array(
        select columns.attname || ' ' || format_type(columns.atttypid, columns.atttypmod)
        from pg_attribute as columns
        where columns.attrelid = '{{ relation }}'::regclass and columns.attnum > 0 and not columns.attisdropped
        order by 1
    )
{%- endmacro %}

{#- The columns of a relation as they are listed in a statement. -#}
{% macro column_names_of(relation) -%}
    (
        select string_agg(quote_ident(columns.attname), ', ' order by columns.attnum)
        from pg_attribute as columns
        where columns.attrelid = '{{ relation }}'::regclass and columns.attnum > 0 and not columns.attisdropped
    )
{%- endmacro %}
