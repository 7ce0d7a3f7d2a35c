with headers as (

    select
        order_key,
        order_type,
        document_id,
        {{ first_filled('document_number') }} as document_number,
        {{ first_filled('customer_name') }} as customer_name,
        {{ first_filled('comparable_customer_name') }} as comparable_customer_name,
        {{ first_filled('order_date') }} as order_date,
        {{ first_filled('due_date') }} as due_date,
        {{ first_filled('ship_date') }} as ship_date,
        {{ first_filled('status_text') }} as status_text,
        {{ first_filled('terms') }} as terms,
        {{ first_filled('payment_method') }} as payment_method,
        {{ first_filled('po_number') }} as po_number,
        {{ first_filled('memo') }} as memo,
        {{ first_filled('class') }} as class,
        {{ first_filled('sales_rep') }} as sales_rep,
        {{ first_filled('shipping_method') }} as shipping_method,
        {{ first_filled('currency') }} as currency,
        {{ first_filled('exchange_rate') }} as exchange_rate,
        {{ first_filled('is_pending') }} as is_pending,
        {{ first_filled('header_total_amount') }} as header_total_amount,
        {{ first_filled('header_tax_amount') }} as header_tax_amount,
        {{ first_filled('header_balance_due') }} as header_balance_due,
        {{ first_filled('billing_city') }} as billing_city,
        {{ first_filled('billing_state') }} as billing_state,
        {{ first_filled('billing_postal_code') }} as billing_postal_code,
        {{ first_filled('billing_country') }} as billing_country,
        {{ first_filled('shipping_city') }} as shipping_city,
        {{ first_filled('shipping_state') }} as shipping_state,
        {{ first_filled('shipping_postal_code') }} as shipping_postal_code,
        {{ first_filled('shipping_country') }} as shipping_country,
        {{ first_filled('created_on') }} as created_on,
        {{ first_filled('modified_on') }} as modified_on,
        count(*) as line_count,
        bool_and(coalesce(amount, 0) = 0) as has_only_zero_lines,
        max(source_as_of) as source_as_of,
        max(loaded_at) as loaded_at,
        max(source_file_id) as source_file_id
    from {{ ref('int_order_lines_unioned') }}
    group by order_key, order_type, document_id

),

voided as (

    select
        *,
        -- A memo alone is not enough: "void" is also a word. Neither are zero lines: a free replacement has them too.
        coalesce({{ comparable_name('memo') }} ilike 'void%', false) and has_only_zero_lines as is_void
    from headers

),

stated as (

    select
        *,
        case
            -- The exporter calls a voided invoice paid, since nothing is owed on it.
            when is_void then 'void'
            when order_type = 'sales_receipt' then 'paid'
            when status_text is null then 'unknown'
            else replace(lower({{ comparable_name('status_text') }}), ' ', '_')
        end as status
    from voided

)

select * from stated
