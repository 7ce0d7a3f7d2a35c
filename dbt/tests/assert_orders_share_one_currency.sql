-- Sums over orders are sums of their own currencies. With a second currency they mean nothing until somebody decides
-- how to convert, so its first order is reported.
{{ config(severity="warn") }}

select
    currency,
    count(*) as order_count
from {{ ref('fct_orders') }}
where (select count(distinct currency) from {{ ref('fct_orders') }}) > 1
group by currency
