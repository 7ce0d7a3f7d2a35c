"""The work table: every transition of an item's state, and nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from books import Books, open_books
from exports import customers, invoices

from qbwatch.core.failure import CRASHES_ALLOWED
from qbwatch.core.model import Failure, FailureClass, ItemState, Reject
from qbwatch.edges import decisions, places, store
from qbwatch.edges.postgres import engine_for

AWAY = Failure(FailureClass.INFRASTRUCTURE, "disk_full", "no space left", "free space")
BAD = Failure(FailureClass.DATA, "empty_file", "the file is empty", "export it again")
NOTHING = dict.fromkeys(("failure_class", "failure_code", "reason", "hint", "next_attempt_at"))


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    with open_books(database_url, tmp_path) as opened:
        yield opened


def take(books: Books, day: int = 4, hour: int = 1) -> int:
    return books.take(f"Customer_04_{day:02}_2025_{hour}_00_02.csv", customers([f"8-{day}-{hour}", "Acme"]))


def states(books: Books, *item_ids: int) -> list[str]:
    return [books.item(item_id)["state"] for item_id in item_ids]


def set_aside(books: Books, item_id: int, failure: Failure) -> None:
    with books.connection.begin():
        if failure.is_transient:
            store.defer(books.connection, item_id, failure, books.at + timedelta(minutes=5), books.at)
        else:
            store.quarantine(books.connection, item_id, failure, books.at)


def recover(books: Books, *, count_crash: bool) -> int:
    with books.connection.begin():
        return store.recover(books.connection, books.tick(), count_crash=count_crash)


def test_an_item_is_claimed_loaded_and_finished(books: Books) -> None:
    item_id = take(books)
    item = books.claim(item_id)
    assert (item.id, item.state, item.attempt, item.dataset) == (item_id, ItemState.LOADING, 1, "quickbooks.customers")
    with books.connection.begin():
        store.finish(books.connection, item, books.loader.append(books.connection, item, books.at), books.at)
    loaded = books.item(item_id)
    assert (loaded["state"], loaded["is_folded"], loaded["loaded_at"], loaded["run_id"]) == (
        "loaded", True, books.at, books.run_id
    )  # fmt: skip
    assert loaded.items() >= NOTHING.items()


@pytest.mark.parametrize("state", ["loading", "loaded", "quarantined", "skipped"])
def test_only_a_waiting_item_can_be_claimed(books: Books, state: str) -> None:
    item_id = take(books)
    books.execute(f"UPDATE qbwatch.work_items SET state = '{state}'")
    with books.connection.begin():
        assert store.claim(books.connection, item_id, books.run_id, books.tick()) is None
    assert states(books, item_id) == [state]


def test_an_item_that_another_session_holds_is_passed_over_without_waiting(books: Books) -> None:
    item_id = take(books)
    engine = engine_for(books.url, name="other")
    with engine.connect() as other, other.begin(), books.connection.begin():
        assert store.claim(other, item_id, books.run_id, books.at) is not None
        assert store.claim(books.connection, item_id, books.run_id, books.at) is None


def test_an_item_that_is_not_being_loaded_cannot_be_finished(books: Books) -> None:
    item_id = take(books)
    item = books.claim(item_id)
    with books.connection.begin():
        result = books.loader.append(books.connection, item, books.at)
        store.put_back(books.connection, item_id, books.at)
        with pytest.raises(AssertionError):
            store.finish(books.connection, item, result, books.at)


def test_a_passing_fault_defers_an_item_until_its_time(books: Books) -> None:
    item_id = take(books)
    books.claim(item_id)
    set_aside(books, item_id, AWAY)
    item = books.item(item_id)
    assert (item["state"], item["failure_class"], item["failure_code"], item["reason"], item["hint"]) == (
        "retrying", "infrastructure", "disk_full", "no space left", "free space"
    )  # fmt: skip
    with books.connection.begin():
        assert store.due_items(books.connection, books.at + timedelta(minutes=4)) == []
        assert [each.id for each in store.due_items(books.connection, books.at + timedelta(minutes=5))] == [item_id]
        assert [each.id for each in store.open_items(books.connection)] == [item_id]
    again = books.claim(item_id)
    assert (again.attempt, again.deferrals) == (1, 1), "it wasn't the file's own try"
    books.execute("UPDATE qbwatch.work_items SET state = 'pending'")
    books.load_item(item_id)
    assert books.item(item_id).items() >= NOTHING.items()


def test_a_fault_of_the_file_quarantines_it_until_a_person_releases_it(books: Books) -> None:
    item_id = take(books)
    books.claim(item_id)
    set_aside(books, item_id, BAD)
    assert states(books, item_id) == ["quarantined"]
    with books.connection.begin():
        assert store.open_items(books.connection) == []
        assert decisions.release(books.connection, [item_id], books.tick()) == 1
    released = books.item(item_id)
    assert (released["state"], released["crashes"], released["next_attempt_at"]) == ("pending", 0, None)
    assert books.load_item(item_id).rows.inserted == 1


def test_only_quarantined_and_waiting_items_can_be_released(books: Books) -> None:
    loading, retrying, pending = take(books, 4), take(books, 5), take(books, 6)
    books.claim(retrying)
    set_aside(books, retrying, AWAY)
    books.claim(loading)
    with books.connection.begin():
        assert decisions.release(books.connection, [loading, retrying, pending, 999], books.tick()) == 1
    assert states(books, loading, retrying, pending) == ["loading", "pending", "pending"]


@pytest.mark.parametrize("state", ["pending", "loaded", "skipped"])
def test_an_item_that_is_not_being_loaded_cannot_be_set_aside(books: Books, state: str) -> None:
    item_id = take(books)
    books.execute(f"UPDATE qbwatch.work_items SET state = '{state}'")
    for failure in (AWAY, BAD):
        set_aside(books, item_id, failure)
        assert states(books, item_id) == [state]


def test_a_load_that_was_stopped_on_request_costs_no_attempt(books: Books) -> None:
    item_id = take(books)
    books.claim(item_id)
    with books.connection.begin():
        store.put_back(books.connection, item_id, books.tick())
    assert (books.item(item_id)["state"], books.item(item_id)["attempt"]) == ("pending", 0)


def test_a_file_that_kills_the_process_is_quarantined_and_not_tried_for_ever(books: Books) -> None:
    killer, innocent = take(books, 4), take(books, 5)
    for crash in range(1, CRASHES_ALLOWED + 1):
        books.claim(killer)
        assert recover(books, count_crash=True) == 1
        assert books.item(killer)["crashes"] == crash
    item = books.item(killer)
    assert (item["state"], item["failure_class"], item["failure_code"]) == ("quarantined", "data", "kills_the_process")
    assert item["reason"] == f"qbwatch died {CRASHES_ALLOWED} times while loading it"
    assert states(books, innocent) == ["pending"]
    with books.connection.begin():
        decisions.release(books.connection, [killer], books.tick())
    assert (books.item(killer)["state"], books.item(killer)["crashes"]) == ("pending", 0)


def test_orphans_go_back_at_once_and_a_lost_database_is_not_the_files_crash(books: Books) -> None:
    item_id = take(books)
    for _ in range(CRASHES_ALLOWED + 2):
        books.claim(item_id)
        assert recover(books, count_crash=False) == 1
    assert (books.item(item_id)["state"], books.item(item_id)["crashes"]) == ("pending", 0)
    assert recover(books, count_crash=True) == 0


def test_items_are_given_out_in_the_order_of_the_fold(books: Books) -> None:
    late = take(books, 5)
    full = books.take("01_BACKUP_Customer_04_04_2025.csv", customers(["8-1", "Acme"]))
    early = take(books, 4, 9)
    same_moment = [books.take(f"Customer_04_04_2025_23_59_59{copy}.csv", customers([f"9-{copy}", "x"]))
                   for copy in ("", " (1)")]  # fmt: skip
    with books.connection.begin():
        due = store.due_items(books.connection, books.at)
    assert due == store.in_fold_order(due)
    assert next(item.id for item in due) == early
    assert {item.id for item in due[1:3]} == set(same_moment)
    assert [item.id for item in due][3:] == [full, late]


def test_an_item_is_late_when_something_newer_is_folded_already(books: Books) -> None:
    books.load_item(take(books, 5))
    early, later = books.claim(take(books, 4)), books.claim(take(books, 6))
    other = books.claim(books.take("Invoice_04_01_2025_2_00_03.csv", invoices({"A": [("x", "1.00")]})))
    with books.connection.begin():
        found = [places.place_of(books.connection, item) for item in (early, later, other)]
    assert [place.is_late for place in found] == [True, False, False]
    assert not any(place.has_superseded for place in found)


def test_a_newer_version_of_a_file_supersedes_the_older_in_every_state_but_loading(books: Books) -> None:
    name = "Customer_04_04_2025_1_00_02.csv"
    older = [books.take(name, customers([f"8-{number}", "Acme"])) for number in range(4)]
    for item_id, state in zip(older, ("pending", "retrying", "quarantined", "loaded"), strict=True):
        books.execute(f"UPDATE qbwatch.work_items SET state = '{state}', is_folded = true WHERE id = {item_id}")
    elsewhere = books.take(name, customers(["8-9", "Acme"]), path="copy/" + name)
    another_day = take(books, 5)
    newest = books.claim(books.take(name, customers(["8-8", "Acme"])))
    with books.connection.begin():
        places.supersede_older_versions(books.connection, newest, books.tick())
        assert places.place_of(books.connection, newest).has_superseded
    assert states(books, *older) == ["skipped"] * 4
    assert books.item(older[0])["reason"] == "superseded by a newer version of the same file"
    assert states(books, elsewhere, another_day, newest.id) == ["pending", "pending", "loading"]


def test_the_same_bytes_for_the_same_moment_cannot_wait_twice(books: Books) -> None:
    take(books)
    with pytest.raises(Exception, match="work_items_once"):
        take(books)


def test_rejects_of_an_earlier_attempt_are_replaced(books: Books) -> None:
    item_id = take(books)
    for line in (3, 4):
        with books.connection.begin():
            store.record_rejects(books.connection, item_id, [Reject(line, "Status", "x", "neither true nor false")])
    with books.connection.begin():
        rows = books.connection.exec_driver_sql("SELECT line FROM qbwatch.rejected_rows").scalars().all()
    assert rows == [4]


def test_whether_a_source_ever_loaded_decides_about_seeding(books: Books) -> None:
    with books.connection.begin():
        assert not store.has_loaded(books.connection, "quickbooks")
    books.load_item(take(books))
    with books.connection.begin():
        assert store.has_loaded(books.connection, "quickbooks")
        assert not store.has_loaded(books.connection, "quick")
