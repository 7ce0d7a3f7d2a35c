with line_sums as (

    select
        order_key,
        sum(counted_amount) as counted_lines_amount,
        coalesce(sum(counted_amount) filter (where line_type = 'tax'), 0) as tax_lines_amount,
        coalesce(bool_or(line_type = 'tax'), false) as has_tax_line,
        count(*) filter (where is_counted) as counted_line_count
    from {{ ref('int_order_lines_counted') }}
    group by order_key

),

summed as (

    select
        orders.*,
        line_sums.counted_lines_amount,
        line_sums.counted_line_count,
        -- Exporters print the tax as a line of its own, or in the header alone.
        case
            when line_sums.has_tax_line then 0
            else coalesce(orders.header_tax_amount, 0)
        end as tax_beside_lines_amount,
        case
            when orders.is_void then 0
            else coalesce(orders.header_tax_amount, line_sums.tax_lines_amount)
        end as tax_amount
    from {{ ref('int_orders_headed') }} as orders
    inner join line_sums using (order_key)

),

totalled as (

    select
        *,
        case when header_total_amount is null then 'lines' else 'header' end as total_basis,
        case
            when is_void then 0
            else coalesce(header_total_amount, counted_lines_amount + tax_beside_lines_amount)
        end as total_amount
    from summed

)

select * from totalled
