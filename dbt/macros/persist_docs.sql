{#-
    Descriptions are written into the database where they differ from what is there. dbt's own way writes them all with
    every build: a look at the columns and a comment for each, which takes longer than most models.
-#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set described = [] -%}
    {%- for name, column in model.columns.items() if column.description -%}
        {%- do described.append(name ~ "=" ~ column.description) -%}
    {%- endfor -%}
    {%- set wanted = local_md5(model.description ~ "\n" ~ described | sort | join("\n")) -%}
    {%- if execute and wanted != described_as(relation) -%}
        {{ default__persist_docs(relation, model, for_relation, for_columns) }}
    {%- endif -%}
{%- endmacro %}

{#- What the relation and its columns are described as, as a hash that can be compared. -#}
{% macro described_as(relation) -%}
    {%- set query -%}
        select md5(
            coalesce(obj_description(relation.oid, 'pg_class'), '') || chr(10)
            || coalesce(string_agg(
                columns.attname || '=' || comments.description, chr(10)
                order by columns.attname || '=' || comments.description collate "C"
            ), '')
        ) as hash
        from (select '{{ relation }}'::regclass::oid as oid) as relation
        left join pg_attribute as columns
            on relation.oid = columns.attrelid and columns.attnum > 0 and not columns.attisdropped
        left join pg_description as comments
            on
                columns.attrelid = comments.objoid
                and comments.classoid = 'pg_class'::regclass
                and columns.attnum = comments.objsubid
        group by relation.oid
    {%- endset -%}
    {{ return(run_query(query).columns[0].values()[0]) }}
{%- endmacro %}
