"""The log: readable or JSON, without secrets, one line per event whatever is in it, and never in the way of work."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import warnings

import pytest
import structlog

from qbwatch import log
from qbwatch.log_clean import clean_text, escape, mask


@pytest.fixture(autouse=True)
def _restore_logging():
    root, ours = logging.getLogger(), logging.getLogger("qbwatch")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], level, ours_level = before
    root.setLevel(level)
    ours.setLevel(ours_level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    log.forget_secrets()


def logged(speak, *, json: bool = False, level: str = "info") -> list[str]:
    """The lines that come of ``speak(logger)``."""
    stream = io.StringIO()
    log.configure(json=json, level=level, stream=stream, environ={})
    speak(log.get_logger("qbwatch.intake"))
    return stream.getvalue().splitlines()


def fail(text: str) -> None:
    raise ValueError(text)


def the_event(speak, **options) -> dict:
    (line,) = logged(speak, json=True, **options)
    return json.loads(line)


# --- form -----------------------------------------------------------------------------------------------------------


def test_an_event_is_one_readable_line_with_its_facts():
    (line,) = logged(
        lambda it: it.info("file settled", file="a b.csv", size=3, dataset="quickbooks.invoices", end=None)
    )
    assert re.fullmatch(
        r'\d{4}-\d\d-\d\dT[\d:.]+Z info     file settled file="a b.csv" size=3 dataset=quickbooks.invoices end=null',
        line,
    )


def test_json_holds_the_same_facts():
    event = the_event(lambda it: it.warning("late", file="a.csv", rows=[1, 2], by={"day": 1}))
    assert event.pop("timestamp").endswith("Z")
    assert event == {
        "event": "late", "file": "a.csv", "rows": [1, 2], "by": {"day": 1},
        "level": "warning", "logger": "qbwatch.intake",
    }  # fmt: skip


def test_quieter_events_than_asked_for_are_left_out():
    assert len(logged(lambda it: (it.debug("a"), it.info("b"), it.warning("c")), level="warning")) == 1
    assert len(logged(lambda it: (it.debug("a"), it.info("b")), level="debug")) == 2


def test_a_traceback_is_a_fact_on_the_same_line():
    def speak(it):
        try:
            fail("of\nno use")
        except ValueError:
            it.exception("failed")

    (line,) = logged(speak)
    assert 'exception="Traceback' in line
    assert "ValueError: of\\nno use" in line


def test_other_libraries_are_heard_from_warnings_on_and_named():
    lines = logged(
        lambda _it: (
            logging.getLogger("watchdog.observers").info("quiet"),
            logging.getLogger("watchdog.observers").warning("queue %s", "over\nflow"),
        )
    )
    assert len(lines) == 1
    assert "queue over\\nflow logger=watchdog.observers" in lines[0]


def test_warnings_of_python_go_to_the_log():
    (line,) = logged(lambda _it: warnings.warn("old thing", UserWarning, stacklevel=1))
    assert "old thing" in line


def test_configuring_twice_writes_each_event_once():
    logged(lambda it: None)
    assert len(logged(lambda it: it.info("once"))) == 1


# --- terminal and journal -------------------------------------------------------------------------------------------


def on_a_terminal(environ: dict[str, str]) -> str:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        log.configure(stream=stream, environ=environ)
        try:
            fail("a\n2026-01-01T00:00:00Z info     forged")
        except ValueError:
            log.get_logger("qbwatch.x").exception("failed")
        text = os.read(ours, 65536).decode()
    os.close(ours)
    return text


def test_a_terminal_gets_colours_and_a_readable_traceback():
    text = on_a_terminal({"TERM": "xterm"})
    assert "\x1b[31merror" in text
    lines = text.splitlines()
    assert len(lines) > 3
    assert all(line.startswith("    | ") for line in lines[1:])


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}])
def test_colours_are_left_out_where_they_are_not_wanted(environ):
    assert "\x1b" not in on_a_terminal(environ)


def test_lines_for_the_journal_begin_with_their_priority_and_leave_the_time_to_it():
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        log.configure(stream=stream, environ={"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}, level="debug")
        it = log.get_logger("qbwatch.x")
        for speak in (it.debug, it.info, it.warning, it.error, it.critical):
            speak("<0>event")
        lines = os.read(reader, 65536).decode().splitlines()
    os.close(reader)
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>", "<2>"]
    assert lines[1] == "<6>info     <0>event"


def test_a_stream_that_was_redirected_from_the_journal_has_no_priorities(tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        log.configure(stream=stream, environ={"JOURNAL_STREAM": "8:12345"})
        log.get_logger("qbwatch.x").info("event")
    assert not (tmp_path / "log").read_text().startswith("<")


# --- secrets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://etl:MARKER@db/books",
        "postgresql://etl:a/b@MARKER@db/books",
        "connecting to postgresql+psycopg://:MARKER@/books failed",
        "host=db password=MARKER dbname=books",
        "host=db password = 'it is MARKER' dbname=books",
        "host=db sslpassword=MARKER",
        "postgresql://db/books?user=u&password=MARKER&x=1",
        "{'password': 'MARKER'}",
        '{"api_key":"MARKER"}',
        "PGPASSWORD=MARKER psql",
    ],
)
def test_what_looks_like_a_password_is_masked(text):
    assert "MARKER" not in mask(text)
    assert "***" in mask(text)


@pytest.mark.parametrize(
    "text", ["https://docs.example/a:b?c=d", "mail to a@b.c: done", "tokens: 5", "3 passwords: none"]
)
def test_ordinary_text_is_left_alone(text):
    assert mask(text) == text


def test_a_registered_secret_is_masked_wherever_it_stands():
    log.register_secret("slack://T0K/T1K/T2K+x y")

    def speak(it):
        try:
            fail("no answer from slack://T0K/T1K/T2K+x y")
        except ValueError:
            it.exception(
                "slack://T0K/T1K/T2K+x y",
                a="slack%3A%2F%2FT0K%2FT1K%2FT2K%2Bx%20y",
                b=[{"slack://T0K/T1K/T2K+x y": ValueError("slack://T0K/T1K/T2K+x y")}],
                c=b"slack://T0K/T1K/T2K+x y",
            )

    for json_wanted in (False, True):
        assert "T1K" not in "".join(logged(speak, json=json_wanted))


def test_the_value_of_a_telling_name_is_masked_whatever_it_is():
    event = the_event(lambda it: it.info("x", password="abc", db={"password": "abc", "host": "h"}, token="abc"))
    assert (event["password"], event["db"], event["token"]) == ("***", {"password": "***", "host": "h"}, "***")


def test_a_secret_across_the_place_of_a_cut_is_masked():
    log.register_secret("VERYSECRETMARKER")
    text = clean_text("x" * 3_990 + "VERYSECRETMARKER" + "y" * 100)
    assert "VERYSEC" not in text
    assert text.endswith("more characters")


def test_masking_a_long_hostile_text_takes_no_time():
    for text in ("a." * 500_000, "a://b:" * 200_000, "password='" * 100_000, "\n" * 1_000_000):
        assert len(clean_text(text)) < 5_000  # the suite's time-out would tell


# --- hostile values -------------------------------------------------------------------------------------------------

HOSTILE = [
    "a\nb.csv",
    "a\r\n2026-01-01T00:00:00Z error forged",
    "\x1b[31mred\x1b]0;title\x07",
    "caf\udce9.csv",
    "\ud800",
    "\u2028\u2029\u202egnp.exe\u2066",
    "\x9b31m\x00\x7f",
    "100%s %d {x} [/x]",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("json_wanted", [False, True])
def test_no_value_makes_a_second_line_or_an_escape_sequence(name, json_wanted):
    lines = logged(lambda it: it.info(f"event {name}", **{"file": name, name: 1}), json=json_wanted)
    assert len(lines) == 1
    assert lines[0].isprintable()
    lines[0].encode("utf-8")


def test_a_value_cannot_pass_for_another_fact():
    (line,) = logged(lambda it: it.info("x", file='a.csv level=error say="no"', last="'"))
    assert line.endswith('file="a.csv level=error say=\\"no\\"" last="\'"')


def test_bytes_of_a_name_that_are_no_text_are_shown():
    assert escape("caf\udce9\n") == "caf\\xe9\\n"


def test_a_huge_value_is_cut():
    event = the_event(lambda it: it.info("x", text="y" * 1_000_000, rows=list(range(1000))))
    assert len(event["text"]) < 5_000
    assert event["rows"][-1] == "… and 950 more"


def test_a_value_that_cannot_be_shown_is_named():
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    loop: list = []
    loop.append(loop)
    event = the_event(lambda it: it.info("x", broken=Broken(), nan=float("nan"), loop=loop))
    assert event["broken"] == "<Broken that can't be shown: RuntimeError>"
    assert event["nan"] == "nan"


# --- trouble while writing ------------------------------------------------------------------------------------------


def test_a_wrong_log_call_of_a_library_ends_in_a_line():
    (line,) = logged(lambda _it: logging.getLogger("lib").error("%d", "not a number"))
    assert "a log line could not be written: TypeError logger=lib" in line


def test_a_closed_stream_disturbs_nobody(tmp_path):
    with (tmp_path / "log").open("w") as stream:
        log.configure(stream=stream, environ={})
    log.get_logger("qbwatch.x").error("into the void")
    logging.getLogger("lib").error("this too")


def test_a_reader_that_left_disturbs_nobody():
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        log.configure(stream=stream, environ={})
        os.close(reader)
        log.get_logger("qbwatch.x").error("nobody reads this")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_after_a_full_disk_the_number_of_lost_lines_is_told(tmp_path):
    full = os.open("/dev/full", os.O_WRONLY)
    with (tmp_path / "log").open("w") as stream:
        log.configure(stream=stream, environ={})
        real = os.dup(stream.fileno())
        os.dup2(full, stream.fileno())
        for _ in range(3):
            log.get_logger("qbwatch.x").info("lost")
        os.dup2(real, stream.fileno())
        log.get_logger("qbwatch.x").info("written")
        log.get_logger("qbwatch.x").info("again")
    os.close(full)
    os.close(real)
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 3
    assert "3 log lines before this one were lost" in lines[0]


def test_a_stream_that_knows_only_ascii_gets_ascii(tmp_path):
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        log.configure(stream=stream, environ={})
        log.get_logger("qbwatch.x").info("für Zoë → 5 €")
    assert "f\\xfcr Zo\\xeb \\u2192 5 \\u20ac" in (tmp_path / "log").read_text("ascii")
