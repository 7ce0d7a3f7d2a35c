-- Every staged line is in the mart, once. With each build the sums and counts of each day are compared with the raw
-- tables, and the lines' keys are unique; this names the lines.
{{ config(severity="error", store_failures=true, tags="on_demand") }}

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
