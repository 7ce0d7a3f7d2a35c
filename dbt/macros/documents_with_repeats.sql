{#-
    Documents that are alike in kind, day, number, customer and total, as one row with how many there are. A void or a
    document without a number is like no other.
-#}
{% macro documents_with_repeats() %}
    select
        order_type,
        order_date,
        document_number,
        customer_name,
        total_amount,
        count(*) as times
    from {{ ref('fct_orders') }}
    where not is_void and document_number is not null
    group by order_type, order_date, document_number, customer_name, total_amount
{% endmacro %}
