-- Jobs and sub-customers (`Parent:Child`) whose parent the list doesn't hold: an export lacks it, or it was renamed.
{{ config(severity="warn", store_failures=true) }}

with customers as (

    select
        customer_key,
        customer_name,
        comparable_customer_name,
        btrim(regexp_replace(comparable_customer_name, ':[^:]*$', '')) as comparable_parent_name
    from {{ ref('stg_quickbooks__customers') }}
    where removed_at is null

)

select
    children.customer_key,
    children.customer_name
from customers as children
left join {{ ref('stg_quickbooks__customers') }} as parents
    on children.comparable_parent_name = parents.comparable_customer_name
where children.comparable_customer_name like '%:%' and parents.customer_key is null
