-- A day whose documents all stand there twice was loaded twice under different ids and doubles the revenue: it stops.
-- One document that was typed twice is for the office, see assert_documents_are_entered_once.
{{ config(severity="error", store_failures=true) }}

with documents as (

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

)

select
    order_type,
    order_date,
    count(*) as document_count,
    sum(total_amount) as amount_once
from documents
group by order_type, order_date
having count(*) > 1 and min(times) > 1
