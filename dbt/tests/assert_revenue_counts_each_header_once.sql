-- The revenue of the mart against one that is summed by another way, straight from the staged lines: the first filled
-- total of each document, once, and nothing for a void. A document without any total is left out on both sides.
with staged_lines as (

    select order_key, line_number, header_total_amount, amount, memo from {{ ref('stg_quickbooks__invoices') }}
    union all
    select order_key, line_number, header_total_amount, amount, memo from {{ ref('stg_quickbooks__sales_receipts') }}

),

first_totals as (

    select distinct on (order_key) order_key, header_total_amount
    from staged_lines
    where header_total_amount is not null
    order by order_key, line_number

),

first_memos as (

    select distinct on (order_key) order_key, memo
    from staged_lines
    where memo is not null
    order by order_key, line_number

),

priced_orders as (

    select order_key from staged_lines where amount <> 0

),

expected as (

    select coalesce(sum(header_total_amount), 0) as revenue
    from first_totals
    where
        order_key in (select order_key from priced_orders)
        or order_key not in (select order_key from first_memos where memo ilike 'void%')

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
