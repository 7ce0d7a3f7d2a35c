"""What of a changed configuration counts at once, and what waits for a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from qbwatch.config import Config, load
from qbwatch.config_address import socket_named
from qbwatch.config_changes import changes

BASE = """\
[input]
directory = "/srv/drop/input"
seed_directory = "/srv/drop/seed"
settle = "2s"
[alerts]
urls = ["json://one.example/secret"]
[expect]
"quickbooks.invoices" = { every = "business day", by = "06:00" }
"""


@pytest.fixture
def written(tmp_path: Path) -> Config:
    """The configuration that counts."""
    return read(tmp_path, BASE)


def read(folder: Path, text: str) -> Config:
    """A configuration's text, read."""
    (folder / "qbwatch.toml").write_text(text)
    return load(folder / "qbwatch.toml", {})


def test_nothing_changed_is_nothing_to_tell(tmp_path: Path, written: Config) -> None:
    found = changes(written, read(tmp_path, "# a word\n" + BASE))

    assert (found.live, found.needs_restart) == ((), ())
    assert found.config.public() == written.public()


def test_what_can_change_at_once_does_and_is_named(tmp_path: Path, written: Config) -> None:
    text = BASE.replace("2s", "5s").replace("one.example", "two.example").replace("06:00", "07:00")
    text += '"quickbooks.items" = "never"\n[freshness]\ncountry = "CA"\nfct_orders = "9 business days"\n'
    text += '[transform]\ntimeout = "1h"\n[state]\nreserve = "1GB"\nretention = "forever"\n'
    found = changes(written, read(tmp_path, text))

    assert set(found.live) == {
        "input.settle",
        "state.reserve",
        "state.retention",
        "transform.timeout",
        "freshness.country",
        "freshness.fct_orders",
        'expect."quickbooks.invoices"',
        'expect."quickbooks.items"',
        "alerts.urls",
    }
    assert found.needs_restart == ()
    assert found.config.input.settle == timedelta(seconds=5)
    assert found.config.freshness.limit_for("fct_orders") == 9
    assert found.touches("alerts")
    assert not found.touches("page", "control")


def test_what_reaches_everywhere_stays_and_is_named_again_until_the_restart(tmp_path: Path, written: Config) -> None:
    text = BASE.replace("drop/input", "other/input") + (
        '[database]\nurl = "postgresql:///elsewhere"\n[quickbooks]\ndate_order = "dmy"\ntimezone = "UTC"\n'
        '[state]\ndirectory = "/data"\n[control]\nsocket = "/run/x.sock"\n[transform]\ntarget_schema = "shadow"\n'
    )
    found = changes(written, read(tmp_path, text))

    assert set(found.needs_restart) == {
        "input.directory",
        "database.url",
        "quickbooks.date_order",
        "quickbooks.timezone",
        "state.directory",
        "control.socket",
        "transform.target_schema",
    }
    assert found.live == ()
    assert found.config.input.directory == Path("/srv/drop/input")
    assert found.config.file == tmp_path / "qbwatch.toml"
    assert changes(found.config, read(tmp_path, text)).needs_restart == found.needs_restart
    assert changes(found.config, read(tmp_path, BASE)).needs_restart == ()


def test_a_page_in_the_folder_that_is_still_read_waits_for_the_restart_too(tmp_path: Path, written: Config) -> None:
    text = BASE.replace("/srv/drop/input", "/srv/new") + '[page]\nfile = "/srv/drop/input/page.html"\n'
    found = changes(written, read(tmp_path, text))

    assert found.needs_restart == ("input.directory", "page.file")
    assert found.config.page.file is None


@pytest.mark.parametrize(
    ("text", "socket"),
    [
        ('[control]\nsocket = "/run/a.sock"\n[alerts]\nremind = 5\n', "/run/a.sock"),
        ('[input\n[control]\n socket = "/run/b.sock"  # here\n', "/run/b.sock"),
        ("[input\n", "/run/qbwatch/control.sock"),
        ('[control]\nsocket = "relative"\n', "/run/qbwatch/control.sock"),
    ],
)
def test_a_wrong_configuration_still_tells_where_the_daemon_answers(tmp_path: Path, text: str, socket: str) -> None:
    (tmp_path / "qbwatch.toml").write_text(text)

    environ = {"HOME": "/nonexistent"}
    assert socket_named(tmp_path / "qbwatch.toml", environ) == Path(socket)


def test_a_missing_configuration_and_the_environment_tell_it_too(tmp_path: Path) -> None:
    named = {"QBWATCH_CONTROL__SOCKET": "/run/c.sock"}

    assert socket_named(tmp_path / "none.toml", named) == Path("/run/c.sock")
    assert socket_named(tmp_path / "none.toml", {}) == Path("/run/qbwatch/control.sock")
