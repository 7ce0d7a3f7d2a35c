"""Alembic's entry: runs the migrations on the connection that qbwatch hands over, inside its transaction."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table_schema="qbwatch",
    transactional_ddl=True,
)
context.run_migrations()
