-- The age of what is owed counts from the newest invoices' own day, not from when this was built: it says the same
-- however often it is built, and an export that didn't come makes nobody's debt older.
with orders as (

    select * from {{ ref('fct_orders') }}

),

newest as (

    select max(source_as_of)::date as as_of_date
    from orders
    where order_type = 'invoice'

),

owed as (

    select
        order_key,
        document_number,
        customer_key,
        customer_name,
        company_name,
        is_orphan,
        order_date,
        terms,
        status,
        total_amount,
        source_as_of,
        source_file_id,
        coalesce(due_date, order_date) as due_date,
        -- An invoice that is called open has had no payment; of a partly paid one only the export knows the rest.
        coalesce(balance_due, case when status = 'open' then total_amount end) as balance_due
    from orders
    where order_type = 'invoice' and not is_void and status <> 'paid'

),

aged as (

    select
        owed.*,
        newest.as_of_date,
        newest.as_of_date - owed.due_date as days_past_due
    from owed
    cross join newest
    where owed.balance_due is distinct from 0

)

select
    order_key,
    document_number,
    customer_key,
    customer_name,
    company_name,
    is_orphan,
    order_date,
    due_date,
    terms,
    status,
    total_amount,
    balance_due,
    balance_due is not null as is_balance_known,
    as_of_date,
    greatest(days_past_due, 0) as days_overdue,
    case
        when days_past_due is null then 'no_date'
        when days_past_due <= 0 then 'current'
        when days_past_due <= 30 then '1_to_30'
        when days_past_due <= 60 then '31_to_60'
        when days_past_due <= 90 then '61_to_90'
        else 'over_90'
    end as aging_bucket,
    source_as_of,
    source_file_id
from aged
