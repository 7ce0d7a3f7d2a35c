-- Orders dated before the day their customer was made in QuickBooks: backdated, or given to the wrong customer.
{{ config(severity="warn", store_failures=true) }}

select
    orders.order_key,
    orders.document_number,
    orders.order_date,
    orders.customer_name,
    customers.created_on as customer_created_on
from {{ ref('fct_orders') }} as orders
inner join {{ ref('fct_customers') }} as customers using (customer_key)
where not orders.is_void and orders.order_date < customers.created_on
