{#-
    A test that finds nothing stores nothing. dbt's own way makes a table for each test that stores its rows, before it
    knows of any: a change of the catalog and a commit each, which takes longer than most of the tests. So rows are
    counted first; only where there are some, now or as of the build before, dbt's way is gone.
-#}
{% materialization test, adapter="postgres" %}
    {%- set stored = load_cached_relation(this) if should_store_failures() else none -%}
    {%- if should_store_failures() and stored is none -%}
        {%- call statement("main", fetch_result=True) -%}
            {{ get_test_sql(
                get_limit_subquery_sql(sql, config.get("limit")),
                config.get("fail_calc"), config.get("warn_if"), config.get("error_if"), limit=none
            ) }}
        {%- endcall -%}
        {%- if load_result("main").table.rows[0][0] == 0 -%}
            {{ return({"relations": []}) }}
        {%- endif -%}
    {%- endif -%}

    {%- set made = dbt.materialization_test_default() -%}
    {%- if should_store_failures() and load_result("main").table.rows[0][0] == 0 -%}
        {%- do adapter.drop_relation(made.relations[0]) -%}
        {%- do adapter.commit() -%}
    {%- endif -%}
    {{ return(made) }}
{% endmaterialization %}
