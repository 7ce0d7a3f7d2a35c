with lines as (

    select * from {{ ref('int_order_lines_unioned') }}

),

items as (

    select * from {{ ref('int_items_picked_by_name') }}

),

classified as (

    select
        lines.*,
        items.product_key,
        items.item_type,
        items.item_subtype,
        case
            when lines.comparable_product_name is null and coalesce(lines.amount, 0) = 0 then 'text'
            when lines.comparable_product_name is null then 'unknown'
            when items.item_subtype = 'ItemSubtotal' then 'subtotal'
            -- A subtotal is told by its item, and by its name only while the item list has not arrived.
            when items.product_key is null and lower(lines.comparable_product_name) = 'subtotal' then 'subtotal'
            when items.product_key is null then 'unknown'
            when items.item_subtype = 'ItemGroup' then 'group'
            when items.item_subtype = 'ItemDiscount' then 'discount'
            when items.item_subtype in ('ItemSalesTax', 'ItemSalesTaxGroup') then 'tax'
            when items.item_subtype = 'ItemPayment' then 'payment'
            when items.item_subtype = 'ItemOtherCharge' then 'charge'
            when items.item_subtype = 'ItemService' then 'service'
            else 'product'
        end as line_type
    from lines
    left join items using (comparable_product_name)

)

select * from classified
