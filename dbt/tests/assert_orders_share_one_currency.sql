-- Sums over orders are sums of their own currencies. With a second currency they mean nothing until somebody decides
-- how to convert, so its first order is reported.
{{ config(severity="warn", store_failures=true) }}

with currencies as (

    select
        currency,
        count(*) as order_count,
        count(currency) over () as currency_count
    from {{ ref('fct_orders') }}
    group by currency

)

select * from currencies
where currency_count > 1
