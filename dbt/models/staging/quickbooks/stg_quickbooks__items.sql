with source as (

    select * from {{ source('quickbooks', 'items') }}

),

renamed as (

    select
        _key as product_key,
        {{ trimmed('item_name') }} as product_name,
        {{ comparable_name('item_name') }} as comparable_product_name,
        {{ trimmed('item_type') }} as item_type,
        {{ trimmed('item_subtype') }} as item_subtype,
        {{ trimmed('sales_description') }} as sales_description,
        {{ trimmed('purchase_description') }} as purchase_description,
        {{ trimmed('unit_of_measure') }} as unit_of_measure,
        {{ trimmed('manufacturer_s_part_number') }} as manufacturer_part_number,
        {{ trimmed('preferred_vendor') }} as preferred_vendor,
        sales_price,
        sales_price_percent,
        purchase_cost,
        {{ trimmed('sales_tax_code') }} as sales_tax_code,
        {{ trimmed('income_account') }} as income_account,
        {{ trimmed('expense_account') }} as expense_account,
        {{ trimmed('cogs_account') }} as cogs_account,
        {{ trimmed('asset_account') }} as asset_account,
        {{ trimmed('class') }} as class,
        {{ trimmed('bar_code') }} as bar_code,
        {{ trimmed('upc') }} as upc,
        min_re_order_point as reorder_point_minimum,
        max_re_order_point as reorder_point_maximum,
        quantity_on_hand,
        quantity_on_order,
        quantity_on_sales_order,
        inventory_date as inventory_started_on,
        unit_weight_kg,
        status as is_active,
        {{ trimmed('trans_no') }} as source_number,
        _as_of as source_as_of,
        _loaded_at as loaded_at,
        _file_id as source_file_id,
        _row_number as source_row_number,
        _removed_at as removed_at
    from source

)

select * from renamed
