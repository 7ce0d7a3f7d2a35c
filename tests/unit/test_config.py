"""The configuration: what a file, the environment and credentials mean, and how mistakes are told."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from qbwatch.config import Config, ConfigError, load
from qbwatch.config_errors import find_lines
from qbwatch.config_values import find_passwords, mask_url, parse_duration, parse_retention, parse_size, write_duration

DATASETS = ("quickbooks.invoices", "quickbooks.customers")

EVERYTHING = """\
[input]
directory      = "/srv/qb/input"
seed_directory = "/srv/qb/seed"
settle         = "750ms"
rescan         = "10m"
watcher        = "polling"
ignore         = ["~$*", "*.old"]

[state]
directory = "/srv/state"

[database]
url = "postgresql://etl:hunter2@db.example/books"
raw_schema = "raw_books"

[quickbooks]
date_order = "dmy"
timezone   = "Europe/Vienna"

[transform]
project = "/srv/dbt"
target_schema = "reports"
timeout = "1h30m"

[freshness]
country = "at"
default = "3 business days"
closed  = ["2026-12-24", 2026-12-31]
fct_orders = "1 business day"
"quickbooks.invoices" = "off"

[expect]
"quickbooks.invoices" = { every = "monday", by = "06:00" }
[expect."quickbooks.customers"]
by = 07:30:00

[alerts]
urls       = ["mailto://ops:s3cret@mail.example", "slack://tokA/tokB/tokC"]
on_success = "daily"
remind     = "12h"

[page]
file = "/srv/status.html"
receipts = true

[control]
socket = "/srv/run/control.sock"
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        file = tmp_path / "qbwatch.toml"
        file.write_text(text, "utf-8")
        return file

    return write


def complaints(file: Path | None, environ: dict[str, str] | None = None, **options: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, {"HOME": "/nonexistent", **(environ or {})}, **options)
    return [str(mistake) for mistake in caught.value.mistakes]


def the_complaint(file: Path | None, environ: dict[str, str] | None = None, **options: object) -> str:
    found = complaints(file, environ, **options)
    assert len(found) == 1, found
    return found[0]


# --- what is read ---------------------------------------------------------------------------------------------------


def test_every_key_of_a_file_is_read(write):
    file = write(EVERYTHING)
    config = load(file, {}, datasets=DATASETS)
    assert config.file == file
    assert config.input.directory == Path("/srv/qb/input")
    assert config.input.seed_directory == Path("/srv/qb/seed")
    assert config.input.settle == timedelta(milliseconds=750)
    assert config.input.rescan == timedelta(minutes=10)
    assert config.input.watcher == "polling"
    assert config.input.ignore == ("~$*", "*.old")
    assert config.state.directory == Path("/srv/state")
    assert config.database.url.get_secret_value() == "postgresql://etl:hunter2@db.example/books"
    assert not config.database.is_embedded
    assert config.database.raw_schema == "raw_books"
    assert config.quickbooks.date_order == "dmy"
    assert config.quickbooks.timezone.key == "Europe/Vienna"
    assert config.transform.project == Path("/srv/dbt")
    assert config.transform.target_schema == "reports"
    assert config.transform.timeout == timedelta(minutes=90)
    assert config.freshness.country == "AT"
    assert config.freshness.closed == (date(2026, 12, 24), date(2026, 12, 31))
    assert config.expect["quickbooks.invoices"].every == "monday"
    assert config.expect["quickbooks.invoices"].by == time(6)
    assert config.expect["quickbooks.customers"].every == "business day"
    assert config.expect["quickbooks.customers"].by == time(7, 30)
    assert [url.get_secret_value() for url in config.alerts.urls][1] == "slack://tokA/tokB/tokC"
    assert config.alerts.on_success == "daily"
    assert config.alerts.remind == timedelta(hours=12)
    assert config.page.file == Path("/srv/status.html")
    assert config.page.receipts
    assert config.control.socket == Path("/srv/run/control.sock")


def test_a_relation_with_no_limit_of_its_own_has_the_default_one(write):
    freshness = load(write(EVERYTHING), {}).freshness
    assert freshness.limit_for("fct_orders") == 1
    assert freshness.limit_for("quickbooks.invoices") is None
    assert freshness.limit_for("fct_products") == 3


def test_the_input_folder_alone_is_enough():
    config = load(None, {"QBWATCH_INPUT__DIRECTORY": "/srv/in", "HOME": "/nonexistent"})
    assert config.file is None
    assert config.input.seed_directory is None
    assert config.input.settle == timedelta(seconds=2)
    assert config.input.rescan == timedelta(minutes=5)
    assert config.input.watcher == "auto"
    assert config.quickbooks.date_order == "mdy"
    assert config.quickbooks.timezone.key == "America/New_York"
    assert config.database.raw_schema == "raw"
    assert config.transform.target_schema == "analytics"
    assert config.transform.timeout == timedelta(minutes=30)
    assert config.freshness.country == "US"
    assert config.freshness.default == 2
    assert config.alerts.on_success == "never"
    assert config.alerts.remind == timedelta(hours=24)
    assert config.page.file is None


def test_an_export_that_nobody_waits_for_needs_no_hour(write):
    text = '"quickbooks.invoices" = "never"\n"quickbooks.customers" = {every = "never"}'
    config = load(write(f'[input]\ndirectory = "/i"\n[expect]\n{text}'), {}, datasets=DATASETS)
    assert [each.every for each in config.expect.values()] == ["never", "never"]


def test_a_state_may_follow_the_country(write):
    assert load(write('[input]\ndirectory = "/i"\n[freshness]\ncountry = "us-nj"'), {}).freshness.country == "US-NJ"


def test_the_addresses_of_alerts_are_secrets(write, tmp_path):
    (tmp_path / "heartbeat_url").write_text("https://hc.example/MARKER-b\n")
    text = '[input]\ndirectory = "/i"\n[alerts]\nfallback = ["json://MARKER-f@x"]'
    config = load(write(text), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.secrets() == ["json://MARKER-f@x", "https://hc.example/MARKER-b"]
    assert config.settings_with_secrets() == ["alerts.fallback", "alerts.heartbeat"]
    assert "MARKER" not in str(config.public()) + repr(config)
    wrong = '[input]\ndirectory = "/i"\n[alerts]\nheartbeat = "MARKER-h"\nfallback = ["MARKER-f"]'
    assert "MARKER" not in str(complaints(write(wrong)))


def test_an_embedded_database_is_recognised():
    environ = {"QBWATCH_INPUT__DIRECTORY": "/srv/in", "QBWATCH_DATABASE__URL": "embedded", "HOME": "/nonexistent"}
    assert load(None, environ).database.is_embedded


def test_a_configuration_cannot_be_changed(write):
    config = load(write(EVERYTHING), {})
    with pytest.raises(ValueError, match="frozen"):
        config.input.settle = timedelta(seconds=9)
    with pytest.raises(ValueError, match="frozen"):
        config.page = config.page


def test_a_file_from_a_windows_editor_is_read(tmp_path):
    file = tmp_path / "qbwatch.toml"
    file.write_bytes(b'\xef\xbb\xbf[input]\r\ndirectory = "/srv/in"\r\n')
    assert load(file, {}).input.directory == Path("/srv/in")


def test_a_tilde_stands_for_the_home_folder(write, monkeypatch):
    monkeypatch.setenv("HOME", "/home/office")
    assert load(write('[input]\ndirectory = "~/Dropbox/in/"\n'), {}).input.directory == Path("/home/office/Dropbox/in")


# --- where from -----------------------------------------------------------------------------------------------------


def test_the_environment_wins_over_credentials_over_the_file_over_the_old_names(write, tmp_path):
    file = write('[input]\ndirectory = "/srv/in"\nsettle = "1s"\n[database]\nurl = "postgresql:///of_the_file"\n')
    (tmp_path / "database_url").write_text("postgresql:///of_the_credential\n")
    environ = {"DATABASE_URL": "postgresql:///of_the_old_name"}

    def database(**more: str) -> str:
        return load(file, environ | more).database.url.get_secret_value()

    assert database() == "postgresql:///of_the_file"
    assert database(CREDENTIALS_DIRECTORY=str(tmp_path)) == "postgresql:///of_the_credential"
    both = {"CREDENTIALS_DIRECTORY": str(tmp_path), "QBWATCH_DATABASE__URL": "postgresql:///of_the_variable"}
    assert database(**both) == "postgresql:///of_the_variable"
    file.write_text('[input]\ndirectory = "/srv/in"\n')
    assert database() == "postgresql:///of_the_old_name"


def test_the_place_of_each_setting_is_remembered(write):
    file = write('[input]\ndirectory = "/srv/in"\n')
    origins = load(file, {"QBWATCH_INPUT__SETTLE": "1s", "DATABASE_URL": "postgresql:///x"}).origins
    assert origins["input.directory"] == f"{file}:2"
    assert origins["input.settle"] == "environment variable QBWATCH_INPUT__SETTLE"
    assert origins["database.url"] == "environment variable DATABASE_URL"


def test_the_old_dropbox_folder_holds_input_and_seed():
    config = load(None, {"DROPBOX_PATH": "/dropbox/qb", "HOME": "/nonexistent"})
    assert (config.input.directory, config.input.seed_directory) == (
        Path("/dropbox/qb/input"),
        Path("/dropbox/qb/seed"),
    )


def test_the_old_dropbox_folder_adds_no_seed_to_an_input_named_elsewhere(write):
    config = load(write('[input]\ndirectory = "/srv/in"\n'), {"DROPBOX_PATH": "/dropbox/qb"})
    assert (config.input.directory, config.input.seed_directory) == (Path("/srv/in"), None)


def test_a_sqlalchemy_address_of_the_old_script_becomes_one_for_libpq():
    environ = {"DROPBOX_PATH": "/d", "DATABASE_URL": "postgresql+psycopg2://u@h/db", "HOME": "/nonexistent"}
    assert load(None, environ).database.url.get_secret_value() == "postgresql://u@h/db"


def test_alert_addresses_come_from_a_credential_one_per_line(write, tmp_path):
    (tmp_path / "alert_urls").write_text("# the boss\nmailto://a:b@c?to=x@y,z@y\n\nslack://A/B/C\n")
    config = load(write('[input]\ndirectory = "/srv/in"\n'), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert [url.get_secret_value() for url in config.alerts.urls] == ["mailto://a:b@c?to=x@y,z@y", "slack://A/B/C"]


def test_every_section_can_be_set_by_variables():
    environ = {
        "HOME": "/nonexistent",
        "QBWATCH_INPUT__DIRECTORY": "/srv/in",
        "QBWATCH_INPUT__IGNORE": '["a, b*", "*.x"]',
        "QBWATCH_FRESHNESS__CLOSED": "2026-12-24, 2026-12-31",
        "QBWATCH_FRESHNESS__FCT_ORDERS": "4 business days",
        "QBWATCH_FRESHNESS__QUICKBOOKS_INVOICES": "off",
        "QBWATCH_EXPECT__QUICKBOOKS_INVOICES__BY": "06:00",
        "QBWATCH_ALERTS__URLS": "mailto://a:b@c slack://A/B/C",
        "QBWATCH_QUICKBOOKS__DATE_ORDER": "ymd",
        "QBWATCH_STATE__DIRECTORY": "/srv/state",
        "QBWATCH_TRANSFORM__TIMEOUT": "90s",
        "QBWATCH_PAGE__FILE": "/srv/page.html",
        "QBWATCH_PAGE__RECEIPTS": "true",
        "QBWATCH_CONTROL__SOCKET": "/srv/c.sock",
        "QBWATCH_ALERTS__REMIND": "",
        "QBWATCH_CORPUS": "not ours to judge",
    }
    config = load(None, environ, datasets=DATASETS)
    assert config.input.ignore == ("a, b*", "*.x")
    assert len(config.freshness.closed) == 2
    assert config.freshness.relations == {"fct_orders": 4, "quickbooks.invoices": None}
    assert config.expect["quickbooks.invoices"].by == time(6)
    assert len(config.alerts.urls) == 2
    assert config.transform.timeout == timedelta(seconds=90)
    assert config.page.receipts
    assert config.control.socket == Path("/srv/c.sock")
    assert config.alerts.remind == timedelta(hours=24)


def test_the_file_is_looked_for_by_argument_then_variable_then_the_users_folder(tmp_path):
    places = {name: tmp_path / name for name in ("argument.toml", "variable.toml", "home/.config/qbwatch/qbwatch.toml")}
    for name, file in places.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'[input]\ndirectory = "/{Path(name).stem}"\n')
    environ = {"HOME": str(tmp_path / "home")}
    if not Path("/etc/qbwatch/qbwatch.toml").exists():
        assert load(None, environ).file == places["home/.config/qbwatch/qbwatch.toml"]
        assert load(None, {"HOME": "/x", "XDG_CONFIG_HOME": str(tmp_path / "home/.config")}).file is not None
    environ["QBWATCH_CONFIG"] = str(places["variable.toml"])
    assert load(None, environ).input.directory == Path("/variable")
    assert load(places["argument.toml"], environ).input.directory == Path("/argument")


def test_a_user_keeps_state_and_socket_in_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    environ = {"HOME": "/home/u", "QBWATCH_INPUT__DIRECTORY": "/srv/in", "XDG_RUNTIME_DIR": str(tmp_path)}
    config = load(None, environ)
    assert config.state.directory == Path("/home/u/.local/state/qbwatch")
    assert config.control.socket == tmp_path / "qbwatch" / "control.sock"
    environ["XDG_RUNTIME_DIR"] = "/nonexistent"
    assert load(None, environ).control.socket == Path("/home/u/.local/state/qbwatch/control.sock")
    environ["QBWATCH_STATE__DIRECTORY"] = "/srv/other"
    assert load(None, environ).control.socket == Path("/srv/other/control.sock")


def test_a_system_wide_file_means_system_wide_folders_for_everyone(write, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    config = load(write('[input]\ndirectory = "/srv/in"\n'), {"HOME": "/home/u"})
    assert config.state.directory == Path("/var/lib/qbwatch")
    assert config.control.socket == Path("/run/qbwatch/control.sock")


# --- mistakes -------------------------------------------------------------------------------------------------------


def test_all_mistakes_are_told_at_once_each_with_its_place(write):
    file = write(
        '# a comment\n[input]\ndirectory = "in"\nsettle = "soon"\n\n'
        '[quickbooks]\ndate_order = "us"\n[alerts]\non_success = true\n[inptu]\n'
    )
    found = complaints(file, {"QBWATCH_INPUT__RESCAN": "1y"})
    assert [line.partition(": ")[0] for line in found] == [
        f"{file}:3",
        f"{file}:4",
        "environment variable QBWATCH_INPUT__RESCAN",
        f"{file}:7",
        f"{file}:9",
        f"{file}:10",
    ]


def test_several_mistakes_make_one_message_with_their_number(write):
    with pytest.raises(ConfigError) as caught:
        load(write('[input]\ndirectory = "in"\nsettle = "soon"\n'), {})
    assert caught.value.message.startswith("2 mistakes in the configuration:\n  ")
    assert "qbwatch.toml" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[input]\ndirectory = "/i"\nsetle = "2s"', "input.setle is not a known key; did you mean settle?; allowed: "),
        ('[input]\ndirectory = "/i"\n[qiuckbooks]', "qiuckbooks is not a known section; did you mean quickbooks?"),
        ('[input]\ndirectory = "/i"\nsettle = 2', 'input.settle = 2 a duration needs a unit; allowed: a number with'),
        ('[input]\ndirectory = "/i"\nsettle = "3h"', 'input.settle = "3h" is out of range; allowed: 50ms to 1h'),
        ('[input]\ndirectory = "/i"\nsettle = "0s"', 'input.settle = "0s" is out of range; allowed: 50ms to 1h'),
        ('[input]\ndirectory = "i"', '"i" is a relative path; allowed: a path that begins with / or ~'),
        ('[input]\ndirectory = 5', "input.directory = 5 is not a path"),
        ('[input]\nsettle = "2s"', "input.directory is missing"),
        ('[input]\ndirectory = "/i"\nwatcher = "poll"', "is not known; allowed: 'auto', 'inotify', 'polling'"),
        ('[input]\ndirectory = "/i"\nignore = 5', "input.ignore = 5 must be a list"),
        ('[input]\ndirectory = "/i"\nignore = [5]', "input.ignore, entry 1 = 5 must be text in quotes"),
        ('page = 5\n[input]\ndirectory = "/i"', "page = 5 must be a table of keys, as in [page]"),
        ('[input]\ndirectory = "/i"\n[quickbooks]\ntimezone = "America/NewYork"', "did you mean America/New_York?"),
        ('[input]\ndirectory = "/i"\n[quickbooks]\ntimezone = "../../etc/passwd"', "is not a time zone"),
        ('[input]\ndirectory = "/i"\n[transform]\ntarget_schema = "My Schema"', "is not a schema name"),
        ('[input]\ndirectory = "/i"\n[transform]\ntarget_schema = "raw"', "is a schema of qbwatch's own"),
        ('[input]\ndirectory = "/i"\n[transform]\nrole = "x; DROP"', "is not a role's name"),
        ('[input]\ndirectory = "/i"\n[database]\nraw_schema = "My Raw"', "is not a schema name"),
        ('[input]\ndirectory = "/i"\n[database]\nraw_schema = "qbwatch"', "is taken by qbwatch's own state"),
        ('[input]\ndirectory = "/i"\n[database]\nraw_schema = "analytics_mart"', "a schema in which dbt builds"),
        ('[input]\ndirectory = "/i"\n[freshness]\ncountry = "USA"', "two-letter"),
        ('[input]\ndirectory = "/i"\n[freshness]\ndefault = "2 days"', 'is not an age; allowed: "1 business day"'),
        ('[input]\ndirectory = "/i"\n[freshness]\ndefualt = "2 business days"', "did you mean default?"),
        ('[input]\ndirectory = "/i"\n[freshness]\n"quickbooks.invoice" = "off"', "did you mean quickbooks.invoices?"),
        ('[input]\ndirectory = "/i"\n[freshness]\nclosed = ["2026-02-30"]', "is not a day of the calendar"),
        ('[input]\ndirectory = "/i"\n[expect]\n"quickbooks.invoices" = {by = "6"}', "is not a time of day"),
        ('[input]\ndirectory = "/i"\n[expect]\n"quickbooks.bogus" = {by = "06:00"}', "allowed: quickbooks.customers, "),
        ('[input]\ndirectory = "/i"\n[expect]\n"quickbooks.invoices" = {}', '"quickbooks.invoices".by is missing'),
        ('[input]\ndirectory = "/i"\n[alerts]\nurls = ["nope"]', "alerts.urls, entry 1 is not an alert address"),
        ('[input]\ndirectory = "/i"\n[page]\nreceipts = true', "page.receipts needs page.file"),
        ('[page]\nfile = "/p"\nreceipts = 7\n[input]\ndirectory = "/i"', "= 7 is not known; allowed: true, false"),
    ],
)  # fmt: skip
def test_a_mistake_says_what_is_wrong_and_what_is_allowed(write, text, said):
    assert said in the_complaint(write(text), datasets=DATASETS)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("QBWATCH_INPUT__SETLE", "2s", "did you mean settle?"),
        ("QBWATCH_INPTU__SETTLE", "2s", "there is no section inptu; did you mean input?"),
        ("QBWATCH_INPUT_SETTLE", "2s", "has one underscore too few; write QBWATCH_INPUT__SETTLE"),
        ("QBWATCH_INPUT__IGNORE", '["a', "begins like a JSON list"),
        ("QBWATCH_INPUT__SETTLE__X", "2s", "a duration needs a unit"),
        ("QBWATCH_INPUT__", "2s", "is not a known key"),
    ],
)
def test_a_mistake_in_a_variable_names_the_variable(variable, value, said):
    complaint = the_complaint(None, {"QBWATCH_INPUT__DIRECTORY": "/srv/in", variable: value})
    assert complaint.startswith(f"environment variable {variable}: ")
    assert said in complaint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[page]\nfile = "/srv/in/status.html"', "lies inside input.directory, which qbwatch only reads"),
        ('[page]\nfile = "/srv/x/../in/status.html"', "lies inside input.directory"),
        ('[page]\nfile = "/srv/seed/status.html"', "lies inside input.seed_directory"),
        ('[control]\nsocket = "/srv/in/c.sock"', "lies inside input.directory"),
        ('[state]\ndirectory = "/srv/in/state"', "must not lie inside each other"),
        ('[state]\ndirectory = "/srv/in"', "must not lie inside each other"),
        ('[state]\ndirectory = "/srv/seed/state"', "must not lie inside each other"),
    ],
)
def test_nothing_of_ours_may_lie_in_a_folder_that_is_only_read(write, text, said):
    file = write(f'[input]\ndirectory = "/srv/in"\nseed_directory = "/srv/seed"\n{text}\n')
    complaint = the_complaint(file)
    assert complaint.startswith(f"{file}:5: ")
    assert said in complaint


def test_a_link_into_the_input_folder_is_seen_through(write, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    file = write(f'[input]\ndirectory = "{tmp_path}/in"\n[page]\nfile = "{tmp_path}/link/page.html"\n')
    assert "lies inside input.directory" in the_complaint(file)


def test_seed_inside_input_is_refused_but_a_sibling_with_the_same_beginning_is_not(write):
    assert "each other" in the_complaint(write('[input]\ndirectory = "/srv/in"\nseed_directory = "/srv/in/seed"\n'))
    assert load(write('[input]\ndirectory = "/srv/in"\nseed_directory = "/srv/in-seed"\n'), {})


def test_without_any_file_the_way_out_is_shown(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(None, {"HOME": str(tmp_path), "QBWATCH_CONFIG": ""})
    assert caught.value.message == "input.directory is missing"
    assert "/etc/qbwatch/qbwatch.toml" in caught.value.hint
    assert "QBWATCH_INPUT__DIRECTORY" in caught.value.hint


def test_a_file_that_was_asked_for_must_exist(tmp_path):
    assert "no such file or directory" in the_complaint(tmp_path / "absent.toml")
    assert "no such file or directory" in the_complaint(None, {"QBWATCH_CONFIG": str(tmp_path / "absent.toml")})
    assert "is a directory" in the_complaint(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b'[input]\ndirectory = /srv/in\n', 2),
        (b'[input]\ndirectory = "/a"\ndirectory = "/b"\n', 3),
        (b'[input]\ndirectory = "/a\n', 2),
        (b'[input]\n\nx = "caf\xe9"\n', 3),
    ],
)  # fmt: skip
def test_what_is_not_toml_is_told_with_its_line(tmp_path, text, line):
    file = tmp_path / "qbwatch.toml"
    file.write_bytes(text)
    assert the_complaint(file).startswith(f"{file}:{line}: is not ")


def test_an_unusable_credential_is_a_mistake(write, tmp_path):
    file = write('[input]\ndirectory = "/srv/in"\n')
    (tmp_path / "database_url").write_text("\n")
    assert "credential database_url: " in the_complaint(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    (tmp_path / "database_url").write_bytes(b"postgresql://u:\xe9@h/db")
    assert "not UTF-8" in the_complaint(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)})


# --- secrets --------------------------------------------------------------------------------------------------------


def test_secrets_are_in_no_representation(write):
    config = load(write(EVERYTHING), {})
    shown = f"{config!r} {config} {config.public()} {config.model_dump_json()} {config.origins}"
    for secret in ("hunter2", "s3cret", "tokA", "tokC"):
        assert secret not in shown
    assert config.public()["database"]["url"] == "postgresql://etl:***@db.example/books"
    assert config.public()["alerts"]["urls"] == ["mailto://***", "slack://***"]
    assert set(config.secrets()) == {"mailto://ops:s3cret@mail.example", "slack://tokA/tokB/tokC", "hunter2"}


def test_a_password_is_found_in_every_spelling_of_an_address():
    assert find_passwords("postgresql://u:a%40b/c@h/db") == ["a%40b/c", "a@b/c"]
    assert find_passwords("postgresql://h/db?user=x&password=geheim") == ["geheim"]
    assert find_passwords("host=h password='geheim' dbname=d") == ["geheim"]
    assert find_passwords("postgresql://u@h/db") == []


def test_secrets_are_in_no_complaint(write):
    text = '[input]\ndirectory = "/i"\n[database]\nurl = "mysql://u:MARKER@h"\n[alerts]\nurls = ["MARKER", 5]\n'
    said = complaints(write(text), {"QBWATCH_DATABASE__URLS": "MARKER", "QBWATCH_DATABASE__URL__X": "MARKER"})
    assert len(said) == 4
    assert "MARKER" not in "".join(said)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:5432/db", "postgresql://u:***@h:5432/db"),
        ("postgresql://u:p/w?x@y#z@h/db", "postgresql://u:***@h/db"),
        ("postgresql://u@h/db?password=geheim", "postgresql://u@h/db?***"),
        ("postgresql:///db?host=/run/pg", "postgresql:///db?host=/run/pg"),
        ("host=h password='ge heim' dbname=d", "host=h password=*** dbname=d"),
        ("embedded", "embedded"),
    ],
)
def test_an_address_is_shown_without_its_password(url, shown):
    assert mask_url(url) == shown


# --- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("250ms", timedelta(milliseconds=250)),
        ("1.5s", timedelta(seconds=1.5)),
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text, duration):
    assert parse_duration(text) == duration
    assert parse_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    "text", ["", "5", "m5", "5 minutes", "30m1h", "1h1h", "-5s", "٥s", "999999999d999999999h", True]
)
def test_what_is_not_a_duration_is_refused(text):
    with pytest.raises(ValueError, match="allowed"):
        parse_duration(text)


def test_lines_are_found_whatever_the_toml_looks_like():
    text = (
        "top = 1\n"
        "a.b = { c = 1 } # x = 2\n"
        "[ section . 'quoted.key' ]\n"
        "list = [\n  '[not.a.table]',\n  \"x = 1\", # ]\n]\n"
        'long = """\nfake = 1\n[fake]\n\\""""\n'
        "raw = '''\nfake2 = 1'''\n"
        '"dotted.\\u0041" = 1\n'
        "[[tables]]\nx = 1\n"
        "last = 1"
    )
    assert find_lines(text) == {
        ("top",): 1,
        ("a", "b"): 2,
        ("section", "quoted.key"): 3,
        ("section", "quoted.key", "list"): 4,
        ("section", "quoted.key", "long"): 8,
        ("section", "quoted.key", "raw"): 12,
        ("section", "quoted.key", "dotted.A"): 14,
        ("tables",): 15,
        ("tables", "x"): 16,
        ("tables", "last"): 17,
    }


def test_importing_the_configuration_imports_nothing_heavy():
    code = "import sys, qbwatch.config; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"sqlalchemy", "psycopg", "structlog", "apprise", "dbt", "watchdog", "holidays", "rich", "alembic"}
    assert not heavy & set(modules)


def test_the_sections_are_those_of_the_contract():
    assert list(Config.model_fields) == [
        "input", "state", "database", "quickbooks", "transform", "freshness", "expect", "alerts", "page", "control",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "count"), [("500MB", 500_000_000), ("2.5 GB", 2_500_000_000), ("1kb", 1000), ("0", 0), ("3TB", 3 * 10**12)]
)
def test_sizes_have_a_unit(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "500", "MB", "-1MB", "1 PB", "500MB 2", True, None, 1.5])
def test_what_is_no_size_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="allowed"):
        parse_size(text)


def test_the_retention_is_a_duration_or_for_ever() -> None:
    assert parse_retention("30d") == timedelta(days=30)
    assert parse_retention("Forever") is None
    with pytest.raises(ValueError, match='or "forever"'):
        parse_retention("long")
