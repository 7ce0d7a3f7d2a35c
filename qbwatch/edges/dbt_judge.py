"""What a finished dbt process came to, by its own results file; by its output when it wrote none.

The exit code tells success from trouble and no more: a failed test and a broken model differ only in the status of
their node, and a selection that matches nothing is a success to dbt.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qbwatch.edges.dbt_process import Ended
from qbwatch.edges.dbt_result import NodeResult, Outcome, TransformResult
from qbwatch.edges.dbt_trouble import is_about_rights, is_infrastructure

LONGEST_MESSAGE = 2000
_PLAIN = re.compile(r'"[a-z_][a-z0-9_]*"')  # an identifier that needs no quotes
_ERRORS = ("error", "runtime error", "partial success")
_NAMED = 3  # nodes that are named in a message before "and n more"

Document = dict[str, Any]


def judge(ended: Ended, target: Path, select: Sequence[str]) -> TransformResult:
    """The result of a process that ended by itself, whose target folder was empty when it started."""
    said = _Said(ended.output)
    results = _read(target / "run_results.json")
    if results is None or not said.is_of(results):
        return _without_results(ended, said, select)
    nodes = tuple(_node(entry) for entry in results["results"])
    if not nodes:
        return _nothing_selected(select)
    return _by_nodes(nodes, ended, said, results)


def _by_nodes(nodes: tuple[NodeResult, ...], ended: Ended, said: _Said, results: Document) -> TransformResult:
    errors = [node for node in nodes if node.status in _ERRORS]
    failures = [node for node in nodes if node.status == "fail"]
    warnings = [node for node in nodes if node.status == "warn"]
    outcome, message, hint = Outcome.BUILT, f"dbt built or tested {_count(nodes, 'node')}", ""
    if errors:
        outcome, message = Outcome.MODEL_ERROR, f"{_count(errors, 'dbt node')} failed: {_first_message(errors)}"
        hint = "mend the model, then: qbwatch once"
        if any(is_infrastructure(node.message or "") for node in errors):
            outcome, hint = Outcome.INFRASTRUCTURE, "it is tried again by itself"
        elif any(is_about_rights(node.message or "") for node in errors):
            outcome, hint = Outcome.CONFIGURATION, "grant the database role what is missing, then: qbwatch once"
    elif failures:
        outcome, message = Outcome.TESTS_FAILED, f"{_count(failures, 'dbt test')} failed: {_names(failures)}"
        hint = _hint_of(failures)
    elif ended.code != 0:
        outcome, message = Outcome.MODEL_ERROR, said.last_error() or f"dbt ended with exit code {ended.code}"
        hint = "see dbt's log in the state folder"
    elif warnings:
        outcome, message = Outcome.WARNINGS, f"dbt built with {_count(warnings, 'warning')}: {_names(warnings)}"
        hint = _hint_of(warnings)
    invocation: str | None = results["metadata"].get("invocation_id")
    return TransformResult(outcome, nodes, message, hint, invocation_id=invocation)


def _without_results(ended: Ended, said: _Said, select: Sequence[str]) -> TransformResult:
    error = said.last_error()
    if ended.code == 0:
        return _nothing_selected(select)
    if ended.code < 0:
        name = signal.Signals(-ended.code).name
        return TransformResult(
            Outcome.INFRASTRUCTURE,
            message=f"dbt was killed by {name}",
            hint="is there enough memory? see: journalctl -k",
        )
    if is_infrastructure(error):
        return TransformResult(
            Outcome.INFRASTRUCTURE,
            message=f"dbt could not work: {error}",
            hint="look into dbt's log in the state folder",
        )
    return TransformResult(
        Outcome.CONFIGURATION,
        message=f"dbt could not start: {error or f'exit code {ended.code}, and it said nothing'}",
        hint="mend the dbt project or the settings in [transform]",
    )


def _nothing_selected(select: Sequence[str]) -> TransformResult:
    asked = f"the selection {' '.join(select)}" if select else "it"
    return TransformResult(
        Outcome.CONFIGURATION,
        message=f"dbt found nothing to do: no model or test of the project matches {asked}",
        hint="check the spelling of the selection, and transform.project",
    )


class _Said:
    """What dbt printed: one JSON object per event, and plain text where Python itself or click spoke."""

    def __init__(self, output: str) -> None:
        self._events: list[Document] = []
        self._plain: list[str] = []
        for line in output.splitlines():
            event = _parsed(line)
            if isinstance(event, dict) and isinstance(event.get("info"), dict):
                self._events.append(event["info"])
            elif line.strip():
                self._plain.append(line.strip())

    def is_of(self, results: Document) -> bool:
        """True unless what was printed and the results come from different runs."""
        seen = {event.get("invocation_id") for event in self._events}
        return not seen or results["metadata"].get("invocation_id") in seen

    def last_error(self) -> str:
        """The error that ended it, on one line; empty when nothing was said."""
        errors = [str(event.get("msg", "")) for event in self._events if event.get("level") == "error"]
        spoken = [one_line(error) for error in errors if error.strip()]
        return spoken[-1] if spoken else (self._plain[-1][:LONGEST_MESSAGE] if self._plain else "")


def _parsed(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _read(path: Path) -> Document | None:
    try:
        document: Document = json.loads(path.read_bytes())
        return document if isinstance(document["results"], list) and document["metadata"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _node(entry: Document) -> NodeResult:
    unique_id = str(entry["unique_id"])
    parts = unique_id.split(".")
    resource_type = parts[0]
    rows = entry.get("failures") if "test" in resource_type else entry.get("adapter_response", {}).get("rows_affected")
    return NodeResult(
        unique_id=unique_id,
        name=_name(parts),
        resource_type=resource_type,
        status=str(entry["status"]),
        seconds=float(entry.get("execution_time") or 0.0),
        rows=rows if isinstance(rows, int) and rows >= 0 else None,
        message=_message(entry),
        found_in=_found_in(entry),
    )


def _message(entry: Document) -> str | None:
    """What dbt said of the node, and where the rows are that a test found, if it stored them."""
    if not entry.get("message"):
        return None
    place = _found_in(entry)
    return one_line(entry["message"] + (f"; the rows: select * from {place}" if place else ""))


def _found_in(entry: Document) -> str | None:
    """The relation with the rows that a test found, without the database's name."""
    if entry["status"] not in ("fail", "warn") or not entry.get("relation_name"):
        return None
    parts = str(entry["relation_name"]).split(".")[-2:]
    return ".".join(part.strip('"') if _PLAIN.fullmatch(part) else part for part in parts)


def _hint_of(found: Sequence[NodeResult]) -> str:
    """How to see the rows that tests found, as far as they were stored, and what to do then."""
    places = [f"select * from {node.found_in}" for node in found if node.found_in]
    more = f" (and {len(places) - _NAMED} more)" if len(places) > _NAMED else ""
    look = "look at the rows: " + "; ".join(places[:_NAMED]) + more if places else "look at the rows the test selects"
    return f"{look}. Mend the data, then: qbwatch once" if found[0].status == "fail" else look


def unstored(result: TransformResult) -> list[str]:
    """The names of tests that found rows and kept none of them."""
    return [node.name for node in result.nodes if node.status in ("fail", "warn") and not node.found_in]


def with_rows(result: TransformResult, stored: TransformResult) -> TransformResult:
    """The result with the places of the rows that the same tests found once more, and stored."""
    again = {node.unique_id: node for node in stored.nodes if node.found_in}
    nodes = tuple(
        replace(node, message=seen.message, found_in=seen.found_in) if (seen := again.get(node.unique_id)) else node
        for node in result.nodes
    )
    status = {Outcome.TESTS_FAILED: "fail", Outcome.WARNINGS: "warn"}.get(result.outcome)
    found = [node for node in nodes if node.status == status]
    return replace(result, nodes=nodes, hint=_hint_of(found) if found else result.hint)


def _name(parts: Sequence[str]) -> str:
    """``model.project.name``, ``test.project.name.hash``; but ``unit_test.project.model.name``."""
    return parts[-1] if parts[0] == "unit_test" or len(parts) < 3 else parts[2]


def one_line(text: str) -> str:
    """The text on one line, cut where it becomes a page."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_MESSAGE else line[: LONGEST_MESSAGE - 1] + "…"


def _first_message(nodes: Sequence[NodeResult]) -> str:
    said = next((node.message for node in nodes if node.message), None)
    return said or _names(nodes)


def _names(nodes: Iterable[NodeResult]) -> str:
    named = [node.name if node.rows is None else f"{node.name} ({node.rows} rows)" for node in nodes]
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + more


def _count(nodes: Sequence[object], noun: str) -> str:
    return f"{len(nodes)} {noun}" if len(nodes) == 1 else f"{len(nodes)} {noun}s"
