-- Documents name their customer as the list did when they were exported; the list holds current names alone. Of two
-- rows that answer to one name (deleted and made anew, or spellings that differ in blanks) the one in use is picked.
with ranked as (

    select
        comparable_customer_name,
        customer_key,
        customer_name,
        company_name,
        row_number() over (
            partition by comparable_customer_name
            order by
                removed_at is not null asc,
                coalesce(is_active, true) desc,
                source_as_of desc,
                customer_key asc
        ) as place
    from {{ ref('stg_quickbooks__customers') }}
    where comparable_customer_name is not null

)

select
    comparable_customer_name,
    customer_key,
    customer_name,
    company_name
from ranked
where place = 1
