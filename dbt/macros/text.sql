{#- Text without blanks at either end (a no-break space counts as blank); nothing left is null. -#}
{% macro trimmed(expression) -%}
    nullif(regexp_replace({{ expression }}, '^[\s\u00A0\u2007\u202F]+|[\s\u00A0\u2007\u202F]+$', '', 'g'), '')
{%- endmacro %}

{#-
    A name as it is compared: no blanks at either end, every run of blanks (no-break spaces too) one space. Upper and
    lower case stay apart, as they do in an item list that holds both "Markdown" and "markdown".
-#}
{% macro comparable_name(expression) -%}
    nullif(btrim(regexp_replace({{ expression }}, '[\s\u00A0\u2007\u202F]+', ' ', 'g')), '')
{%- endmacro %}
