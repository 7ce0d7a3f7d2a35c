with lines as (

    select * from {{ ref('int_order_lines_counted') }}

),

orders as (

    select
        order_key,
        customer_key,
        customer_name,
        order_date,
        document_number
    from {{ ref('fct_orders') }}

)

select
    lines.order_line_key,
    lines.order_key,
    lines.order_type,
    lines.document_id,
    orders.document_number,
    lines.line_number,
    orders.order_date,
    orders.customer_key,
    orders.customer_name,
    lines.product_key,
    lines.product_name,
    lines.item_type,
    lines.item_subtype,
    lines.line_type,
    lines.is_counted,
    lines.is_void,
    lines.line_description,
    lines.quantity,
    lines.unit_of_measure,
    lines.rate,
    lines.rate_percent,
    lines.amount,
    lines.counted_amount,
    lines.line_class,
    lines.line_sales_tax_code,
    lines.service_date,
    lines.inventory_site,
    lines.source_as_of,
    lines.loaded_at,
    lines.source_file_id,
    lines.source_row_number
from lines
inner join orders using (order_key)
