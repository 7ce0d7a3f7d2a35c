-- Orders whose customer the list doesn't hold under that name: renamed since, or an export of customers is missing.
{{ config(severity="warn", store_failures=true) }}

select
    order_key,
    document_number,
    order_date,
    customer_name,
    total_amount
from {{ ref('fct_orders') }}
where is_orphan
