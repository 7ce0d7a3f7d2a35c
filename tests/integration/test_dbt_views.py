"""Views that are left out of a build are in the database: whatever somebody, or dbt itself, did to them meanwhile."""

from __future__ import annotations

import shutil

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from small_dbt import MakeDbt, Project

from qbwatch.edges.dbt import Outcome
from qbwatch.edges.dbt_result import TransformResult
from qbwatch.edges.dbt_views import SparingDbt

SOURCES = """
sources:
  - {name: office, schema: public, tables: [{name: lines}, {name: notes}]}
models:
  - name: staged
    columns: [{name: n, data_tests: [not_null]}]
"""
MODELS = {
    "staged": "select n from {{ source('office', 'lines') }}",
    "summed": "{{ config(materialized='incremental') }} select sum(n) as total from {{ ref('staged') }}",
    "noted": "select note from {{ source('office', 'notes') }}",
}
LINES = ["source:office.lines+"]


@pytest.fixture
def books(empty_database_url: str) -> psycopg.Connection:
    connection = psycopg.connect(empty_database_url, autocommit=True)
    connection.execute("create table public.lines as select 1 as n")
    connection.execute("create table public.notes as select 'x' as note")
    return connection


def models_of(result: TransformResult) -> set[str]:
    assert result.succeeded, result
    return {node.name for node in result.nodes if node.resource_type == "model"}


def test_a_view_is_left_out_only_while_it_is_as_it_was_built(
    books: psycopg.Connection, project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    folder = project(SOURCES, **MODELS)
    dbt = make_dbt(folder)
    dbt.warm_up()
    sparing = SparingDbt(dbt)
    assert models_of(sparing.build()) == {"staged", "summed", "noted"}

    spared = sparing.build(LINES)

    assert models_of(spared) == {"summed"}
    assert {node.name for node in spared.nodes if node.resource_type == "test"} == {"not_null_staged_n"}
    assert spared.pays("office.lines")
    books.execute("create or replace view analytics.staged as select 7 as n")
    assert models_of(sparing.build(LINES)) == {"staged", "summed"}
    assert models_of(sparing.build(LINES)) == {"summed"}
    books.execute("drop view analytics.staged cascade")
    assert models_of(sparing.build(LINES)) == {"staged", "summed"}
    books.execute("drop schema analytics cascade")
    assert models_of(sparing.build(LINES)) == {"staged", "summed"}
    (folder / "models" / "staged.sql").write_text("select n + 1 as n from {{ source('office', 'lines') }}")
    assert models_of(sparing.build(LINES)) == {"staged", "summed", "noted"}
    assert books.execute("select n from analytics.staged").fetchone() == (2,)
    assert models_of(sparing.build(LINES, full_refresh=True)) == {"staged", "summed"}


def test_a_changed_project_is_built_as_a_whole_until_all_its_models_are(
    books: psycopg.Connection, project: Project, make_dbt: MakeDbt
) -> None:
    folder = project(SOURCES, **MODELS)
    assert models_of(SparingDbt(make_dbt(folder)).build()) == {"staged", "summed", "noted"}
    (folder / "models" / "noted.sql").write_text("select nothing from {{ source('office', 'notes') }}")

    for _ in range(2):  # by a process that knows nothing of the one before
        broken = SparingDbt(make_dbt(folder)).build(LINES)

        assert (broken.outcome, broken.pays("office.lines")) == (Outcome.MODEL_ERROR, True)
        assert not broken.pays("office.notes")
    (folder / "models" / "noted.sql").write_text("select note as word from {{ source('office', 'notes') }}")
    sparing = SparingDbt(make_dbt(folder))
    assert models_of(sparing.build(["staged"])) == {"staged"}  # what a person names is no dataset
    assert models_of(sparing.build(LINES)) == {"staged", "summed", "noted"}
    assert models_of(sparing.build(LINES)) == {"summed"}
    assert models_of(SparingDbt(make_dbt(folder)).build(LINES)) == {"staged", "summed"}


def test_views_of_another_database_under_the_same_name_are_built(
    books: psycopg.Connection, project: Project, make_dbt: MakeDbt, empty_database_url: str
) -> None:
    sparing = SparingDbt(make_dbt(project(SOURCES, **MODELS)))
    sparing.build()
    assert models_of(sparing.build(LINES)) == {"summed"}
    name = books.info.dbname
    books.close()

    with psycopg.connect(make_conninfo(empty_database_url, dbname="postgres"), autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")
        server.execute(f"create database {name} template template0")
    with psycopg.connect(empty_database_url, autocommit=True) as anew:
        anew.execute("create table public.lines as select 5 as n")
        built = sparing.build(LINES)
        assert models_of(built) == {"staged", "summed"}
        assert anew.execute("select n from analytics.staged").fetchone() == (5,)


def test_a_table_that_is_made_anew_keeps_the_views_on_it(
    books: psycopg.Connection, project: Project, make_dbt: MakeDbt
) -> None:
    """dbt swaps a table and drops the old one with CASCADE; the views that stood on it must come back."""
    folder = project(
        SOURCES,
        staged=MODELS["staged"],
        swapped="{{ config(materialized='table') }} select n from {{ ref('staged') }}",
        shown="select n from {{ ref('swapped') }}",
    )
    sparing = SparingDbt(make_dbt(folder))
    sparing.build()
    books.execute("insert into public.lines values (2)")

    for _ in range(2):
        built = sparing.build(LINES)

        assert {"swapped", "shown"} <= models_of(built)
        assert books.execute("select count(*) from analytics.shown").fetchone() == (2,)
    shutil.rmtree(folder)
    assert sparing.build(LINES).outcome is Outcome.CONFIGURATION
