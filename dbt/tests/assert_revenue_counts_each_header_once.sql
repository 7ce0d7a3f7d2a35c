-- The revenue of the mart against one that is summed by another way, straight from the staged lines: the first filled
-- total of each document, once, and nothing for a void. A document without any total is left out on both sides.
{{ config(severity="error", store_failures=true) }}

with staged_lines as (

    select
        order_key,
        line_number,
        header_total_amount,
        amount,
        memo
    from {{ ref('stg_quickbooks__invoices') }}
    union all
    select
        order_key,
        line_number,
        header_total_amount,
        amount,
        memo
    from {{ ref('stg_quickbooks__sales_receipts') }}

),

first_totals as (

    select distinct on (order_key)
        order_key,
        header_total_amount
    from staged_lines
    where header_total_amount is not null
    order by order_key asc, line_number asc

),

first_memos as (

    select distinct on (order_key)
        order_key,
        memo
    from staged_lines
    where memo is not null
    order by order_key asc, line_number asc

),

priced_orders as (

    select distinct order_key
    from staged_lines
    where amount <> 0

),

expected as (

    select coalesce(sum(first_totals.header_total_amount), 0) as revenue
    from first_totals
    left join priced_orders using (order_key)
    left join first_memos using (order_key)
    where
        priced_orders.order_key is not null
        or coalesce(first_memos.memo not ilike 'void%', true)

),

found as (

    select coalesce(sum(total_amount), 0) as revenue
    from {{ ref('fct_orders') }}
    where total_basis = 'header'

)

select
    expected.revenue as expected_revenue,
    found.revenue as found_revenue
from expected
cross join found
where expected.revenue <> found.revenue
