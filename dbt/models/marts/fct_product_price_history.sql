with changes as (

    select * from {{ ref('int_item_prices_changed') }}

),

products as (

    select
        product_key,
        product_name
    from {{ ref('stg_quickbooks__items') }}

)

select
    changes.product_key || ':' || to_char(changes.priced_at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') as price_key,
    changes.product_key,
    products.product_name,
    changes.priced_at as valid_from,
    lead(changes.priced_at) over product_prices as valid_to,
    lead(changes.priced_at) over product_prices is null as is_current,
    changes.sales_price,
    changes.sales_price_percent,
    changes.purchase_cost,
    changes.sales_price - changes.sales_price_before as sales_price_change,
    changes.sales_price - changes.purchase_cost as margin_amount,
    changes.source_file_id
from changes
inner join products using (product_key)
window product_prices as (partition by changes.product_key order by changes.priced_at)
