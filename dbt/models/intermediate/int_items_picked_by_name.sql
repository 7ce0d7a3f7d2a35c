-- Lines name their item, they don't hold its id. Names are unique in QuickBooks, but an item that was deleted and made
-- anew, or two spellings that differ in blanks alone, leave two rows: the one that is in use answers to the name.
with ranked as (

    select
        comparable_product_name,
        product_key,
        product_name,
        item_type,
        item_subtype,
        row_number() over (
            partition by comparable_product_name
            order by
                removed_at is not null asc,
                coalesce(is_active, true) desc,
                source_as_of desc,
                product_key asc
        ) as place
    from {{ ref('stg_quickbooks__items') }}
    where comparable_product_name is not null

)

select
    comparable_product_name,
    product_key,
    product_name,
    item_type,
    item_subtype
from ranked
where place = 1
