with products as (

    select * from {{ ref('stg_quickbooks__items') }}

),

line_sums as (

    select
        product_key,
        count(distinct order_key) as order_count,
        count(*) as line_count,
        coalesce(sum(quantity), 0) as quantity_sold,
        sum(counted_amount) as revenue,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from {{ ref('fct_order_line_items') }}
    where product_key is not null and is_counted and not is_void
    group by product_key

)

select
    products.product_key,
    products.product_name,
    products.item_type,
    products.item_subtype,
    products.sales_description,
    products.unit_of_measure,
    products.manufacturer_part_number,
    products.preferred_vendor,
    products.sales_price,
    products.sales_price_percent,
    products.purchase_cost,
    products.sales_price - products.purchase_cost as margin_amount,
    round(100 * (products.sales_price - products.purchase_cost) / nullif(products.sales_price, 0), 2) as margin_percent,
    products.sales_tax_code,
    products.income_account,
    products.quantity_on_hand,
    products.quantity_on_order,
    products.quantity_on_sales_order,
    products.is_active,
    products.removed_at is not null as is_removed,
    products.removed_at,
    coalesce(line_sums.order_count, 0) as order_count,
    coalesce(line_sums.line_count, 0) as line_count,
    coalesce(line_sums.quantity_sold, 0) as quantity_sold,
    coalesce(line_sums.revenue, 0) as revenue,
    line_sums.first_order_date,
    line_sums.last_order_date,
    products.source_as_of,
    products.loaded_at,
    products.source_file_id
from products
left join line_sums using (product_key)
