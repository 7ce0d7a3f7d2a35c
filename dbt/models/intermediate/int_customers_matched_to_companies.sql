-- Customers of one firm share the domain of their e-mail addresses. Where that says nothing (a free mail service, no
-- address) each customer is a company of its own, rather than all of them one.
with addressed as (

    select
        customer_key,
        customer_name,
        company_name,
        is_active,
        removed_at,
        {{ email_domain('main_email') }} as email_domain
    from {{ ref('stg_quickbooks__customers') }}

),

matched as (

    select
        *,
        case
            when email_domain is null then 'no_email'
            when email_domain in {{ free_mail_domains() }} then 'free_mail'
            else 'email_domain'
        end as match_basis
    from addressed

)

select
    *,
    case
        when match_basis = 'email_domain' then 'domain:' || email_domain
        else 'customer:' || customer_key
    end as company_key
from matched
