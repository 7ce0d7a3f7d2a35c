with source as (

    select * from {{ source('quickbooks', 'customers') }}

),

renamed as (

    select
        _key as customer_key,
        {{ trimmed('customer_name') }} as customer_name,
        {{ comparable_name('customer_name') }} as comparable_customer_name,
        {{ trimmed('company_name') }} as company_name,
        {{ trimmed('first_name') }} as first_name,
        {{ trimmed('middle_name') }} as middle_name,
        {{ trimmed('last_name') }} as last_name,
        {{ trimmed('job_title') }} as job_title,
        {{ trimmed('main_email') }} as main_email,
        {{ trimmed('cc_email') }} as cc_email,
        {{ trimmed('main_phone') }} as main_phone,
        {{ trimmed('alt_phone') }} as alt_phone,
        {{ trimmed('work_phone') }} as work_phone,
        {{ trimmed('mobile') }} as mobile_phone,
        {{ trimmed('fax') }} as fax_number,
        {{ trimmed('customer_type') }} as customer_type,
        {{ trimmed('terms') }} as terms,
        {{ trimmed('sales_rep') }} as sales_rep,
        {{ trimmed('price_level') }} as price_level,
        credit_limit,
        current_balance,
        {{ trimmed('account_number') }} as account_number,
        {{ trimmed('tax_code') }} as tax_code,
        {{ trimmed('tax_item') }} as tax_item,
        {{ trimmed('resale_no') }} as resale_number,
        {{ trimmed('billing_address_line_1') }} as billing_address_line_1,
        {{ trimmed('billing_address_line_2') }} as billing_address_line_2,
        {{ trimmed('billing_address_line_3') }} as billing_address_line_3,
        {{ trimmed('billing_address_line_4') }} as billing_address_line_4,
        {{ trimmed('billing_address_line_5') }} as billing_address_line_5,
        {{ trimmed('billing_address_city') }} as billing_city,
        {{ trimmed('billing_address_state') }} as billing_state,
        {{ trimmed('billing_address_postal_code') }} as billing_postal_code,
        {{ trimmed('billing_address_country') }} as billing_country,
        {{ trimmed('shipping_address_line_1') }} as shipping_address_line_1,
        {{ trimmed('shipping_address_line_2') }} as shipping_address_line_2,
        {{ trimmed('shipping_address_line_3') }} as shipping_address_line_3,
        {{ trimmed('shipping_address_line_4') }} as shipping_address_line_4,
        {{ trimmed('shipping_address_line_5') }} as shipping_address_line_5,
        {{ trimmed('shipping_address_city') }} as shipping_city,
        {{ trimmed('shipping_address_state') }} as shipping_state,
        {{ trimmed('shipping_address_postal_code') }} as shipping_postal_code,
        {{ trimmed('shipping_address_country') }} as shipping_country,
        {{ trimmed('job_type') }} as job_type,
        {{ trimmed('job_status') }} as job_status,
        {{ trimmed('industry') }} as industry,
        {{ trimmed('source_channel') }} as source_channel,
        {{ trimmed('notes') }} as notes,
        status as is_active,
        {{ trimmed('trans_no') }} as source_number,
        created_date as created_on,
        modified_date as modified_on,
        _as_of as source_as_of,
        _loaded_at as loaded_at,
        _file_id as source_file_id,
        _row_number as source_row_number,
        _removed_at as removed_at
    from source

)

select * from renamed
