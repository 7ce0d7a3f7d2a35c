{#-
    Descriptions are written into the database where they differ from what is there. dbt's own way writes them all with
    every build: a look at the columns and a comment for each, which takes longer than most models.
-#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- if execute and wanted_descriptions(model) != described_as(relation) -%}
        {{ default__persist_docs(relation, model, for_relation, for_columns) }}
    {%- endif -%}
{%- endmacro %}

{#- What a model and its columns are to be described as, as a hash that can be compared. -#}
{% macro wanted_descriptions(model) -%}
    {%- set described = [] -%}
    {%- for name, column in model.columns.items() if column.description -%}
        {%- do described.append(name ~ "=" ~ column.description) -%}
    {%- endfor -%}
    {{ return(local_md5(model.description ~ "\n" ~ described | sort | join("\n"))) }}
{%- endmacro %}

{#- What a relation and its columns are described as, as such a hash. -#}
{% macro described_as(relation) -%}
    {{ return(run_query("select " ~ descriptions_of(relation) ~ " as hash").columns[0].values()[0]) }}
{%- endmacro %}

{% macro descriptions_of(relation) -%}
    (
        select md5(
            coalesce(obj_description(relation.oid, 'pg_class'), '') || chr(10)
            || coalesce(string_agg(
                columns.attname || '=' || comments.description, chr(10)
                order by columns.attname || '=' || comments.description collate "C"
            ), '')
        )
        from (select '{{ relation }}'::regclass::oid as oid) as relation
        left join pg_attribute as columns
            on relation.oid = columns.attrelid and columns.attnum > 0 and not columns.attisdropped
        left join pg_description as comments
            on
                columns.attrelid = comments.objoid
                and comments.classoid = 'pg_class'::regclass
                and columns.attnum = comments.objsubid
        group by relation.oid
    )
{%- endmacro %}
