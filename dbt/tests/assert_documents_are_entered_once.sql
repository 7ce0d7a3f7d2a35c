-- Documents of one kind that share number, day, customer and total: most likely entered twice.
{{ config(severity="warn", store_failures=true) }}

with documents as (

    {{ documents_with_repeats() }}

)

select * from documents
where times > 1
