-- A day whose documents all stand there twice was loaded twice under different ids and doubles the revenue: it stops.
-- One document that was typed twice is for the office, see assert_documents_are_entered_once.
{{ config(severity="error", store_failures=true) }}

with documents as (

    {{ documents_with_repeats() }}

)

select
    order_type,
    order_date,
    count(*) as document_count,
    sum(total_amount) as amount_once
from documents
group by order_type, order_date
having count(*) > 1 and min(times) > 1
