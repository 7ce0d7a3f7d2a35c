{#-
    A view is replaced in place. dbt's own way (a new view beside the old one, swap, drop the old one with CASCADE)
    takes every view that stands on it along, so that a build which stops half-way leaves holes behind. Only where the
    new columns don't fit the old ones, which Postgres refuses to replace, is the view dropped and made anew, in the
    same transaction.
-#}
{% materialization view, adapter="postgres" %}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- set target_relation = this.incorporate(type="view") -%}
    {%- set grant_config = config.get("grants") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% if existing_relation is not none and not existing_relation.is_view %}
        {{ drop_relation_if_exists(existing_relation) }}
    {% endif %}

    {% call statement("main") %}
        do $qbwatch_replace$
        begin
            create or replace view {{ target_relation }} as (
                {{ sql }}
            );
        exception when invalid_table_definition then
            drop view {{ target_relation }} cascade;
            create view {{ target_relation }} as (
                {{ sql }}
            );
        end
        $qbwatch_replace$
    {% endcall %}

    {% do apply_grants(target_relation, grant_config, should_revoke=should_revoke(existing_relation, full_refresh_mode=False)) %}
    {% do persist_docs(target_relation, model) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target_relation]}) }}
{% endmaterialization %}
