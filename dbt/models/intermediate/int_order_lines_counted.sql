with lines as (

    select * from {{ ref('int_order_lines_classified') }}

),

orders as (

    select
        order_key,
        header_total_amount,
        header_tax_amount,
        is_void
    from {{ ref('int_orders_headed') }}

),

-- A group's own line repeats the sum of its members, so it stands beside the sums. Where the members are not printed
-- it is the only line that carries their amount; the document's printed total tells which of the two it is.
groups as (

    select
        lines.order_key,
        coalesce(
            sum(lines.amount) filter (where lines.line_type <> 'subtotal')
            in (min(orders.header_total_amount), min(orders.header_total_amount - orders.header_tax_amount))
            and sum(lines.amount) filter (where lines.line_type = 'group') <> 0,
            false
        ) as stand_for_their_members
    from lines
    inner join orders using (order_key)
    group by lines.order_key

),

counted as (

    select
        lines.*,
        orders.is_void,
        case
            when lines.line_type in ('subtotal', 'text') then false
            when lines.line_type = 'group' then groups.stand_for_their_members
            else true
        end as is_counted
    from lines
    inner join orders using (order_key)
    inner join groups using (order_key)

)

select
    *,
    case when is_counted then coalesce(amount, 0) else 0 end as counted_amount
from counted
