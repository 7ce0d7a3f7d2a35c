with names as (

    select * from {{ ref('int_companies_named') }}

),

customer_sums as (

    select
        bridge.company_key,
        bridge.match_basis,
        min(bridge.email_domain) as email_domain,
        count(*) as customer_count,
        count(*) filter (
            where not customers.is_removed and coalesce(customers.is_active, true)
        ) as active_customer_count,
        sum(customers.order_count) as order_count,
        sum(customers.revenue) as revenue,
        sum(customers.net_revenue) as net_revenue,
        min(customers.first_order_date) as first_order_date,
        max(customers.last_order_date) as last_order_date
    from {{ ref('bridge_customer_company') }} as bridge
    inner join {{ ref('fct_customers') }} as customers using (customer_key)
    group by bridge.company_key, bridge.match_basis

)

select
    customer_sums.company_key,
    names.company_name,
    customer_sums.match_basis,
    customer_sums.email_domain,
    customer_sums.customer_count,
    customer_sums.active_customer_count,
    customer_sums.order_count,
    customer_sums.revenue,
    customer_sums.net_revenue,
    customer_sums.first_order_date,
    customer_sums.last_order_date
from customer_sums
inner join names using (company_key)
