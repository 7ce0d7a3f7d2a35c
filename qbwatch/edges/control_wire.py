"""The words on the control socket: JSON-RPC 2.0, one object per line, all ASCII. Only bytes in and bytes out.

Two rules are stricter than JSON-RPC: a request needs an ``id``, since a command of whose outcome nobody hears should
not be carried out; and there are no batches, since one line is one request.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PROTOCOL = 1  # raised when a client of the version before would misread an answer

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
EXPECTED_FAILURE = -32000
TIMED_OUT = -32001
NOT_PERMITTED = -32002
TOO_MANY = -32003

Id = str | int | float | None


@dataclass(frozen=True, slots=True)
class Request:
    """A well-formed request."""

    id: Id
    method: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error to send back. ``data`` goes along; ``hint`` in it is for a person."""

    id: Id
    code: int
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The line to send."""
        error = {"code": self.code, "message": self.message, "data": dict(self.data)}
        return _line({"jsonrpc": "2.0", "id": self.id, "error": error})


def parse_request(line: bytes) -> Request | Refusal:
    """One line as a request, or the reason why it is none."""
    try:
        message = json.loads(line.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return Refusal(
            None, PARSE_ERROR, "not one line of JSON", {"hint": '{"jsonrpc":"2.0","id":1,"method":"status"}'}
        )
    if not isinstance(message, dict):
        return Refusal(None, INVALID_REQUEST, "a request is one JSON object; there are no batches")
    request_id = message.get("id")
    if "id" not in message or isinstance(request_id, bool) or not isinstance(request_id, str | int | float | None):
        return Refusal(None, INVALID_REQUEST, "a request needs an id: text or a number")
    method, params = message.get("method"), message.get("params", {})
    if message.get("jsonrpc") != "2.0" or not isinstance(method, str):
        return Refusal(request_id, INVALID_REQUEST, 'a request needs "jsonrpc": "2.0" and the name of a method')
    if not isinstance(params, dict):
        return Refusal(request_id, INVALID_PARAMS, "params is an object: parameters go by name")
    return Request(request_id, method, params)


def encode_result(request_id: Id, result: object) -> bytes:
    """The line that answers a request. Raises TypeError or ValueError when the result isn't JSON."""
    return _line({"jsonrpc": "2.0", "id": request_id, "result": result})


def encode_notification(method: str, params: object) -> bytes:
    """A line that answers nothing. Raises TypeError or ValueError when the parameters aren't JSON."""
    return _line({"jsonrpc": "2.0", "method": method, "params": params})


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, allow_nan=False).encode("ascii") + b"\n"


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
