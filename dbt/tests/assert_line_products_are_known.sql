-- Products that lines name and the item list doesn't: their lines count in the orders and in no product.
{{ config(severity="warn", store_failures=true) }}

select
    product_name,
    count(*) as line_count,
    sum(counted_amount) as amount
from {{ ref('fct_order_line_items') }}
where product_name is not null and product_key is null and line_type = 'unknown'
group by product_name
