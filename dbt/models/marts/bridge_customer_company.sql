select
    customer_key,
    company_key,
    match_basis,
    email_domain
from {{ ref('int_customers_matched_to_companies') }}
