-- Documents of one kind that share number, day, customer and total: most likely entered twice.
{{ config(severity="warn", store_failures=true) }}

select
    order_type,
    order_date,
    document_number,
    customer_name,
    total_amount,
    count(*) as times
from {{ ref('fct_orders') }}
where not is_void and document_number is not null
group by order_type, order_date, document_number, customer_name, total_amount
having count(*) > 1
