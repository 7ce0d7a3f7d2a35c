-- A company is called what most of its customers say, and among equals what comes first in the alphabet.
with customers as (

    select * from {{ ref('int_customers_matched_to_companies') }}

),

names_counted as (

    select
        company_key,
        coalesce(company_name, customer_name) as company_name,
        count(*) as customer_count,
        bool_or(company_name is not null) as is_stated
    from customers
    group by company_key, coalesce(company_name, customer_name)

)

select distinct on (company_key)
    company_key,
    company_name
from names_counted
order by company_key asc, is_stated desc, customer_count desc, company_name asc
