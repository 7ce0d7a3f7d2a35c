"""A dbt project of two models, for tests in which it only matters that dbt runs."""

from __future__ import annotations

from pathlib import Path

_FILES = {
    "dbt_project.yml": """\
name: tiny
version: "1.0.0"
config-version: 2
profile: qbwatch
model-paths: ["models"]
macro-paths: ["macros"]
flags:
  send_anonymous_usage_stats: false
models:
  tiny:
    +schema: mart
    +materialized: table
""",
    "macros/generate_schema_name.sql": (
        "{% macro generate_schema_name(name, node) %}{{ target.schema }}_{{ name }}{% endmacro %}\n"
    ),
    "models/sources.yml": """\
version: 2
sources:
  - name: quickbooks
    schema: raw
    tables:
      - name: customers
        identifier: quickbooks_customers
      - name: invoices
        identifier: quickbooks_invoices
""",
    "models/tiny_customers.sql": """\
select customer_name, count(*) as entries from {{ source('quickbooks', 'customers') }}
where _removed_at is null group by customer_name
""",
    "models/tiny_lines.sql": """\
select _key as invoice, count(*) as lines, sum(product_service_amount) as amount
from {{ source('quickbooks', 'invoices') }} group by _key
""",
}


def write_tiny_project(folder: Path) -> Path:
    """Write the project; gives its folder."""
    for name, text in _FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder
