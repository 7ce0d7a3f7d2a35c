-- Every staged line is in the mart, once.
{{ config(severity="error", store_failures=true) }}

with staged as (

    select order_line_key from {{ ref('stg_quickbooks__invoices') }}
    union all
    select order_line_key from {{ ref('stg_quickbooks__sales_receipts') }}

)

select
    staged.order_line_key as staged_key,
    lines.order_line_key as mart_key
from staged
full outer join {{ ref('fct_order_line_items') }} as lines using (order_line_key)
where staged.order_line_key is null or lines.order_line_key is null
