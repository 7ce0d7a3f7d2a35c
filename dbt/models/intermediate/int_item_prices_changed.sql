-- Neighbours with equal prices (a price that was noted and taken back at one moment) are one.
with noted as (

    select
        *,
        row_number() over (partition by product_key order by priced_at) as place,
        lag(sales_price) over (partition by product_key order by priced_at) as sales_price_before,
        lag(sales_price_percent) over (partition by product_key order by priced_at) as sales_price_percent_before,
        lag(purchase_cost) over (partition by product_key order by priced_at) as purchase_cost_before
    from {{ ref('stg_quickbooks__item_prices') }}

)

select
    product_key,
    priced_at,
    sales_price,
    sales_price_percent,
    purchase_cost,
    case when place > 1 then sales_price_before end as sales_price_before,
    source_file_id
from noted
where
    place = 1
    or (sales_price, sales_price_percent, purchase_cost)
    is distinct from (sales_price_before, sales_price_percent_before, purchase_cost_before)
