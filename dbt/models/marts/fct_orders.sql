with orders as (

    select * from {{ ref('int_orders_summed') }}

),

customers as (

    select
        comparable_customer_name,
        customer_key,
        company_name
    from {{ ref('int_customers_picked_by_name') }}

)

select
    orders.order_key,
    orders.order_type,
    orders.document_id,
    orders.document_number,
    customers.customer_key,
    orders.customer_name,
    customers.company_name,
    orders.order_date,
    orders.due_date,
    orders.ship_date,
    orders.status,
    orders.status_text,
    orders.is_void,
    orders.comparable_customer_name is not null and customers.customer_key is null as is_orphan,
    coalesce(orders.is_pending, false) as is_pending,
    orders.total_amount,
    orders.tax_amount,
    orders.total_amount - orders.tax_amount as net_amount,
    case when orders.is_void then 0 else orders.header_balance_due end as balance_due,
    orders.total_basis,
    orders.header_total_amount,
    orders.counted_lines_amount,
    orders.tax_beside_lines_amount,
    orders.line_count,
    orders.counted_line_count,
    orders.currency,
    orders.exchange_rate,
    orders.terms,
    orders.payment_method,
    orders.po_number,
    orders.memo,
    orders.class,
    orders.sales_rep,
    orders.shipping_method,
    orders.billing_city,
    orders.billing_state,
    orders.billing_postal_code,
    orders.billing_country,
    orders.shipping_city,
    orders.shipping_state,
    orders.shipping_postal_code,
    orders.shipping_country,
    orders.created_on,
    orders.modified_on,
    orders.source_as_of,
    orders.loaded_at,
    orders.source_file_id
from orders
left join customers using (comparable_customer_name)
