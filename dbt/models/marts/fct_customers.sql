with customers as (

    select * from {{ ref('stg_quickbooks__customers') }}

),

order_sums as (

    select
        customer_key,
        count(*) filter (where not is_void) as order_count,
        count(*) filter (where not is_void and order_type = 'invoice') as invoice_count,
        count(*) filter (where not is_void and order_type = 'sales_receipt') as sales_receipt_count,
        count(*) filter (where is_void) as void_order_count,
        sum(total_amount) as revenue,
        sum(net_amount) as net_revenue,
        min(order_date) filter (where not is_void) as first_order_date,
        max(order_date) filter (where not is_void) as last_order_date
    from {{ ref('fct_orders') }}
    where customer_key is not null
    group by customer_key

)

select
    customers.customer_key,
    customers.customer_name,
    customers.company_name,
    customers.first_name,
    customers.last_name,
    customers.main_email,
    customers.main_phone,
    customers.customer_type,
    customers.terms,
    customers.sales_rep,
    customers.price_level,
    customers.billing_city,
    customers.billing_state,
    customers.billing_postal_code,
    customers.billing_country,
    customers.shipping_city,
    customers.shipping_state,
    customers.shipping_postal_code,
    customers.shipping_country,
    customers.is_active,
    customers.removed_at is not null as is_removed,
    customers.removed_at,
    coalesce(order_sums.order_count, 0) as order_count,
    coalesce(order_sums.invoice_count, 0) as invoice_count,
    coalesce(order_sums.sales_receipt_count, 0) as sales_receipt_count,
    coalesce(order_sums.void_order_count, 0) as void_order_count,
    coalesce(order_sums.revenue, 0) as revenue,
    coalesce(order_sums.net_revenue, 0) as net_revenue,
    order_sums.first_order_date,
    order_sums.last_order_date,
    customers.created_on,
    customers.modified_on,
    customers.source_as_of,
    customers.loaded_at,
    customers.source_file_id
from customers
left join order_sums using (customer_key)
