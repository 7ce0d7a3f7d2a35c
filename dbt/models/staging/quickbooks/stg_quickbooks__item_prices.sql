with source as (

    select * from {{ source('quickbooks', 'item_prices') }}

),

renamed as (

    select
        _key as product_key,
        _as_of as priced_at,
        sales_price,
        sales_price_percent,
        purchase_cost,
        _file_id as source_file_id
    from source

)

select * from renamed
