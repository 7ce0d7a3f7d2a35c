-- An order's printed total is the sum of its counted lines, to the cent. A row here is an order to look at: a line that
-- the export lost, or a kind of line that is counted by mistake. The order itself is kept and counts as printed.
{{ config(severity="warn", store_failures=true) }}

select
    order_key,
    document_number,
    header_total_amount,
    counted_lines_amount,
    tax_beside_lines_amount
from {{ ref('fct_orders') }}
where
    not is_void
    and header_total_amount is not null
    and header_total_amount <> counted_lines_amount
    and header_total_amount <> counted_lines_amount + tax_beside_lines_amount
