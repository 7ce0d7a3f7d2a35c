"""Answers of an invented installation in four conditions, with the names that have broken interfaces before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from qbwatch.core.facts import DaemonFacts, LedgerFacts, Limits, Pause, Problem, RelationFacts, Severity, moment
from qbwatch.core.filename import escaped
from qbwatch.core.model import DaemonState, FailureClass, QbwatchError
from qbwatch.core.status import assemble
from qbwatch.tui.seen import Seen

NOW = datetime(2025, 4, 18, 13, 30, tzinfo=UTC)
HOSTILE = (
    "[red]x.csv",
    "inv [/x].csv",
    "a [b + c.csv",
    "[@click=app.quit]hi.csv",
    "esc \x1b[31mred\x1b[0m\x07.csv",
    "\u202egnp.vsc",
    "שלום דוח.csv",
    "日本語の請求書.csv",
    "two\nlines\tand %s {0}.csv",
    "long " + "n" * 195,
)
CONDITIONS = ("healthy", "running", "broken", "disconnected")
_STATES = ("loaded", "pending", "loading", "retrying", "quarantined", "skipped")


def at(minutes: float) -> str:
    """A moment before now."""
    said = moment(NOW - timedelta(minutes=minutes))
    assert said is not None
    return said


class Canned:
    """`qbwatch.tui.seen.Answers` of a condition; ``asked`` is what was to be done."""

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.asked: list[tuple[str, dict[str, Any]]] = []

    @property
    def config_file(self) -> Path:
        """The file of the settings."""
        return Path("/etc/[qb]watch/qbwatch.toml")

    def follow(self, stop: Event) -> Iterator[Seen]:
        """One status, and then none for ever."""
        lost = self.condition == "disconnected"
        trouble = "the daemon is not running: there is no socket at /run/[qb]watch/control.sock" if lost else ""
        yield Seen(self.status(), NOW, trouble, "start it: `systemctl start qbwatch`" if lost else "")
        stop.wait()

    def ask(self, name: str, params: dict[str, Any]) -> dict[str, Any]:
        """The answer to one question."""
        if name == "log" and self.condition == "disconnected":
            raise QbwatchError("only the daemon can tell that, and it doesn't answer", "journalctl -u qbwatch")
        return dict(getattr(self, "_" + name.replace("-", "_"))(params))

    def act(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Nothing is done."""
        self.asked.append((method, params))
        raise QbwatchError("\n".join(f"[/line {number}] it can't be done" for number in range(40)), "[red]don't")

    def status(self) -> dict[str, Any]:
        """By the product's own rules."""
        broken, running = self.condition == "broken", self.condition == "running"
        run = {"id": 8, "mode": "incremental", "step": "load", "dataset": "quickbooks.invoices", "file": HOSTILE[1],
               "done": 3, "total": 9, "started_at": at(1), "rows": 1234, "node": None}  # fmt: skip
        last = {"id": 7, "mode": "incremental", "status": "partial_failure" if broken else "success",
                "started_at": at(31), "finished_at": at(30), "files": 4,
                "rows": {"read": 153, "inserted": 120, "updated": 25, "unchanged": 8, "removed": 0, "rejected": 0},
                "error": HOSTILE[0] if broken else None}  # fmt: skip
        quarantined = [
            {"name": name, "sheet": None, "dataset": "quickbooks.invoices", "class": "data", "since": at(20),
             "reason": f"line 2 of {name}: [/x] is no date", "hint": f"qbwatch why '{name}'"}
            for name in HOSTILE
        ]  # fmt: skip
        waiting = [{"name": name, "sheet": None, "dataset": None, "state": "pending", "next_attempt_at": None}
                   for name in HOSTILE]  # fmt: skip
        ledger = LedgerFacts(
            len(waiting) if running else 0, NOW if running else None, waiting if running else [],
            quarantined if broken else [], run if running else None, last, NOW - timedelta(minutes=30),
            [RelationFacts("fct_orders", 13553, NOW.date() - timedelta(days=9 if broken else 1)),
             RelationFacts("quickbooks.invoices", 25107, NOW.date() - timedelta(days=1))],
            ["quickbooks.invoices"] if running else [], None, NOW - timedelta(minutes=30), [], [],
        )  # fmt: skip
        state = {"running": DaemonState.RUNNING, "broken": DaemonState.PAUSED, "disconnected": DaemonState.DOWN}
        requests = [{"id": 3, "request": "once", "detail": "seed", "by": "[b]alice (uid 1000)", "since": at(2)},
                    {"id": 4, "request": "transform", "detail": "[/x]", "by": "bob", "since": at(1)}]  # fmt: skip
        disk = Problem("disk", FailureClass.INFRASTRUCTURE, Severity.ERROR, HOSTILE[4], "[/] make room", NOW)
        daemon = DaemonFacts(
            state.get(self.condition, DaemonState.IDLE), 4711, NOW - timedelta(days=1), "inotify", watch_alive=True,
            last_scan_at=NOW, settling=[(escaped(HOSTILE[5].encode()), NOW)] if running else (),
            problems=[disk] if broken else (), paused=Pause(NOW, "[red]alice") if broken else None,
            requests=requests if running else (),
        )  # fmt: skip
        limits = Limits(NOW.date(), lambda day: day.weekday() > 4, lambda _: 2)
        by = "ledger" if self.condition == "disconnected" else "daemon"
        return assemble(ledger, daemon, limits, answered_by=by, version="0.1.0", at=NOW)

    def _rows_by_day(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"days": {(NOW - timedelta(days=ago)).date().isoformat(): (ago * 37) % 113 for ago in range(28)}}

    def _files(self, params: dict[str, Any]) -> dict[str, Any]:
        files = [self._file(number, name) for number, name in enumerate(HOSTILE)]
        offset = params.get("offset", 0)
        return {"total": len(files), "offset": offset, "place": None, "states": {"loaded": 5, "quarantined": 5},
                "files": files[offset : offset + params["limit"]]}  # fmt: skip

    def _file(self, number: int, name: str) -> dict[str, Any]:
        state = _STATES[number % len(_STATES)]
        counts = dict.fromkeys(("structural", "inserted", "updated", "unchanged", "removed", "rejected"), 0)
        return {
            "id": number, "file_id": number, "name": name, "path": name, "root": "input", "sheet": None,
            "dataset": "quickbooks.invoices", "full": number % 2 == 0, "state": state, "code": "few_rows",
            "is_question": state == "quarantined", "is_decided": state == "skipped",
            "reason": "[/x] is no date" if state == "quarantined" else None, "hint": None, "attempt": 1,
            "as_of": at(60 * number), "changed_at": at(5), "loaded_at": at(5),
            "next_attempt_at": at(-5) if state == "retrying" else None,
            "rows": {"read": 110, **counts, "inserted": 110} if state == "loaded" else None,
        }  # fmt: skip

    def _why(self, params: dict[str, Any]) -> dict[str, Any]:
        part = self._file(4, params["file"]) | {
            "run_id": 7, "sums": {"amount": "1.00"}, "notes": ["read as [utf-8]"], "difference": None, "answers": {},
            "rejects": [{"line": 2, "column": "[/x]", "text": HOSTILE[4], "reason": "[red]no date"}],
        }  # fmt: skip
        version = part | {"content_hash": "f" * 64, "as_of_basis": "name", "first_seen_at": at(9), "size_bytes": 13153,
                          "settled_at": at(9), "repeats": 1, "repeated_at": at(3), "parts": [part]}  # fmt: skip
        return {"name": params["file"], "versions": [version]}

    def _runs(self, _: dict[str, Any]) -> dict[str, Any]:
        counts = ("read", "structural", "inserted", "updated", "unchanged", "removed", "rejected")
        return {"runs": [
            {"id": 7 - number, "mode": "incremental", "status": status, "why": "new files", "step": "announce",
             "started_at": at(60 * number), "finished_at": at(60 * number - 1), "seconds": 60.0, "files": 4,
             "rows": dict.fromkeys(counts, 17), "dbt": {"nodes": 0, "seconds": 0.0},
             "error": HOSTILE[number] if status != "success" else None}
            for number, status in enumerate(("success", "partial_failure", "error", "cancelled", "success"))
        ]}  # fmt: skip

    def _run(self, params: dict[str, Any]) -> dict[str, Any]:
        run = next(each for each in self._runs({})["runs"] if each["id"] == params["id"])
        loads = [{"name": name, "sheet": None, "dataset": "quickbooks.invoices", "state": "quarantined",
                  "reason": "[/x]"} for name in HOSTILE]  # fmt: skip
        return {"run": run | {"loads": loads, "nodes": self._nodes({})["nodes"]}}

    def _nodes(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"nodes": [
            {"unique_id": f"model.x.{name}", "name": name, "resource_type": kind, "status": status, "seconds": 0.31,
             "rows": 13553, "message": "[/x] relation \x1b[31m", "found_in": None, "finished_at": at(30), "run_id": 7}
            for name, kind, status in (("fct_orders", "model", "success"), ("[red]fct", "model", "error"),
                                       ("not_null_[/x]", "test", "warn"), ("unique_\x1b[2J", "test", "fail"))
        ]}  # fmt: skip

    def _alerts(self, _: dict[str, Any]) -> dict[str, Any]:
        incidents = [
            {"id": f"3f2a91b{number}", "class": "data", "code": "bad_date", "severity": "error", "summary": name,
             "hint": "[/x]", "names": [name], "count": 1, "opened_at": at(90), "told_at": at(80),
             "acknowledged_at": at(70) if number == 1 else None, "recovered_at": at(60) if number > 4 else None,
             "returns": 0}
            for number, name in enumerate(HOSTILE)
        ]  # fmt: skip
        waiting = [{"incident_id": "3f2a91b0", "service": "slack [/x]", "kind": "opened", "subject": "x",
                    "attempts": 3, "queued_at": at(80),
                    "next_attempt_at": at(-1), "refused_at": None, "error": HOSTILE[4]}]  # fmt: skip
        return {"incidents": incidents, "undelivered": waiting}

    def _log(self, params: dict[str, Any]) -> dict[str, Any]:
        levels = ("info", "warning", "error")
        lines = [f"2025-04-18T13:{number:02}:00Z {levels[number % 3]:<8} loaded file={name}"
                 for number, name in enumerate(HOSTILE)]  # fmt: skip
        return {"last": len(lines), "lines": lines[params["after"] :]}
