-- The lines of each day, in the mart and in the raw tables, to the cent.
{{ config(severity="error", store_failures=true) }}

with raw_lines as (

    select
        'invoice' as order_type,
        _key as document_id,
        _line as line_number,
        invoice_date as order_date,
        product_service_amount as amount
    from {{ source('quickbooks', 'invoices') }}
    union all
    select
        'sales_receipt' as order_type,
        _key as document_id,
        _line as line_number,
        sales_receipt_date as order_date,
        product_service_amount as amount
    from {{ source('quickbooks', 'sales_receipts') }}

),

raw_dates as (

    select distinct on (order_type, document_id)
        order_type,
        document_id,
        order_date
    from raw_lines
    where order_date is not null
    order by order_type asc, document_id asc, line_number asc

),

raw_days as (

    select
        raw_lines.order_type,
        raw_dates.order_date,
        count(*) as line_count,
        coalesce(sum(raw_lines.amount), 0) as amount
    from raw_lines
    left join raw_dates
        on
            raw_lines.order_type = raw_dates.order_type
            and raw_lines.document_id = raw_dates.document_id
    group by raw_lines.order_type, raw_dates.order_date

),

mart_days as (

    select
        order_type,
        order_date,
        count(*) as line_count,
        coalesce(sum(amount), 0) as amount
    from {{ ref('fct_order_line_items') }}
    group by order_type, order_date

)

select
    coalesce(raw_days.order_type, mart_days.order_type) as order_type,
    coalesce(raw_days.order_date, mart_days.order_date) as order_date,
    raw_days.line_count as raw_line_count,
    mart_days.line_count as mart_line_count,
    raw_days.amount as raw_amount,
    mart_days.amount as mart_amount
from raw_days
full outer join mart_days
    on
        raw_days.order_type = mart_days.order_type
        and raw_days.order_date is not distinct from mart_days.order_date
where
    raw_days.line_count is distinct from mart_days.line_count
    or raw_days.amount is distinct from mart_days.amount
