{#-
    The value a document has in one of its header columns: the first one that is filled, in the order of its lines.
    Exporters repeat the header on every line, or print parts of it on the first line alone.
-#}
{% macro first_filled(column) -%}
    (array_agg({{ column }} order by line_number) filter (where {{ column }} is not null))[1]
{%- endmacro %}
