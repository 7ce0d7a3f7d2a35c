with source as (

    select * from {{ source('quickbooks', 'sales_receipts') }}

),

renamed as (

    select
        'sales_receipt:' || _key as order_key,
        'sales_receipt:' || _key || ':' || _line as order_line_key,
        _key as document_id,
        _line as line_number,
        {{ trimmed('sales_receipt_no') }} as document_number,
        {{ trimmed('customer') }} as customer_name,
        {{ comparable_name('customer') }} as comparable_customer_name,
        sales_receipt_date as order_date,
        due_date,
        ship_date,
        {{ trimmed('payment_method') }} as payment_method,
        {{ trimmed('reference_no') }} as reference_number,
        {{ trimmed('deposit_to') }} as deposit_to,
        {{ trimmed('message_to_customer') }} as customer_message,
        is_pending,
        {{ trimmed('shipping_method') }} as shipping_method,
        {{ trimmed('class') }} as class,
        {{ trimmed('memo') }} as memo,
        {{ trimmed('template') }} as template,
        {{ trimmed('currency') }} as currency,
        exchange_rate,
        {{ trimmed('sales_rep') }} as sales_rep,
        total_amount as header_total_amount,
        total_tax as header_tax_amount,
        {{ trimmed('product_service') }} as product_name,
        {{ comparable_name('product_service') }} as comparable_product_name,
        {{ trimmed('product_service_description') }} as line_description,
        product_service_quantity as quantity,
        product_service_rate as rate,
        product_service_rate_percent as rate_percent,
        product_service_amount as amount,
        {{ trimmed('product_service_class') }} as line_class,
        product_service_service_date as service_date,
        {{ trimmed('product_service_sales_tax_code') }} as line_sales_tax_code,
        {{ trimmed('inventory_site') }} as inventory_site,
        {{ trimmed('inventory_bin') }} as inventory_bin,
        {{ trimmed('unit_of_measure') }} as unit_of_measure,
        {{ trimmed('customer_sales_tax_code') }} as customer_sales_tax_code,
        {{ trimmed('billing_address_line_1') }} as billing_address_line_1,
        {{ trimmed('billing_address_line_2') }} as billing_address_line_2,
        {{ trimmed('billing_address_line_3') }} as billing_address_line_3,
        {{ trimmed('billing_address_city') }} as billing_city,
        {{ trimmed('billing_address_state') }} as billing_state,
        {{ trimmed('billing_address_postal_code') }} as billing_postal_code,
        {{ trimmed('shipping_address_line_1') }} as shipping_address_line_1,
        {{ trimmed('shipping_address_line_2') }} as shipping_address_line_2,
        {{ trimmed('shipping_address_line_3') }} as shipping_address_line_3,
        {{ trimmed('shipping_address_city') }} as shipping_city,
        {{ trimmed('shipping_address_state') }} as shipping_state,
        {{ trimmed('shipping_address_postal_code') }} as shipping_postal_code,
        created_date as created_on,
        modified_date as modified_on,
        _as_of as source_as_of,
        _loaded_at as loaded_at,
        _file_id as source_file_id,
        _row_number as source_row_number
    from source

)

select * from renamed
