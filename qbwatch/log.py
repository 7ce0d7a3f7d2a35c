"""The log: one line per event on stderr, for a person at a terminal or for the journal; no secret, no forged line.

structlog's loggers and the standard library's (watchdog, alembic, sqlalchemy) end in one handler; `log_clean` masks and
escapes what both say. Nothing in here may raise into the caller: a log that is full or closed costs lines, which are
counted and reported once writing works again, and never a load.
"""

from __future__ import annotations

import contextlib
import io
import json as jsonlib
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

# structlog loads rich, for tracebacks that we don't write, wherever it is installed: 10 MB that the daemon would carry.
_hidden = "rich" not in sys.modules
if _hidden:
    sys.modules["rich"] = None  # type: ignore[assignment]
try:
    import structlog
finally:
    if _hidden:
        del sys.modules["rich"]

from qbwatch.log_clean import clean, escape, forget_secrets, register_secret  # noqa: E402
from qbwatch.log_recent import keep  # noqa: E402

__all__ = ["configure", "forget_secrets", "get_logger", "register_secret"]

_PRIORITIES = {"critical": 2, "error": 3, "warning": 4, "info": 6, "debug": 7}  # syslog's, as sd-daemon(3) lists them
_COLOURS = {"critical": "1;31", "error": "31", "warning": "33", "info": "32", "debug": "2"}
_LONGEST_LINE = (
    40_000  # bytes; the journal splits at 48 KiB, and the second half would stand there as a line of its own
)


def get_logger(name: str) -> Any:
    """A structlog logger. ``name`` is the module's ``__name__``; call it with an event and keyword facts."""
    return structlog.stdlib.get_logger(name)


def configure(
    *,
    json: bool | None = None,
    level: str = "info",
    stream: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
    remember: bool = False,
) -> None:
    """Send everything that is logged to ``stream`` (stderr), from ``level`` on; other libraries from warnings on.

    ``json`` asks for JSON, one object per line; otherwise lines are for reading, and coloured on a terminal unless
    ``NO_COLOR`` is set. Lines that go to the journal begin with their priority, and leave the time to it.
    With ``remember`` the last lines are kept in memory besides (`log_recent`).
    """
    out = stream if stream is not None else sys.stderr
    handler = _Handler(
        out, _Renderer(json=bool(json), journal=_is_journal(out, environ), colours=_colours(out, environ))
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler, *([_Memory(_Renderer(json=False, journal=False, colours=False))] if remember else [])]
    root.setLevel(logging.WARNING)
    logging.getLogger("qbwatch").setLevel(level.upper())
    logging.captureWarnings(True)


def _is_journal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """True when the stream is the very one that systemd connected to the journal, not one that was redirected since."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _colours(stream: TextIO, environ: Mapping[str, str]) -> bool:
    try:
        is_terminal = stream.isatty()
    except ValueError:  # closed
        return False
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class _Renderer(logging.Formatter):
    """Makes one line (at a terminal: with a readable traceback below it) out of a record of either kind of logger."""

    def __init__(self, *, json: bool, journal: bool, colours: bool) -> None:
        super().__init__()
        self._json, self._journal, self._colours = json, journal, colours
        self._stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        self._to_event = structlog.stdlib.ProcessorFormatter(
            processors=[self._describe, structlog.processors.format_exc_info, self._render],
            foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
        )

    def format(self, record: logging.LogRecord) -> str:
        return self._to_event.format(record)

    def _describe(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        record: logging.LogRecord = event.pop("_record")
        event.pop("_from_structlog")
        event["level"], event["logger"] = record.levelname.lower(), record.name
        event["event"] = str(event.get("event", "")).rstrip()
        return event if self._journal else self._stamp(_logger, _method, event)

    def _render(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        level = str(event["level"])
        facts = {escape(str(key)): clean(value, key=str(key)) for key, value in event.items()}
        line = jsonlib.dumps(facts, ensure_ascii=False) if self._json else self._readable(facts)
        return f"<{_PRIORITIES.get(level, 6)}>{line}" if self._journal else line

    def _readable(self, facts: dict[str, Any]) -> str:
        level, message = facts.pop("level"), str(facts.pop("event", ""))
        stamp, traceback = facts.pop("timestamp", ""), str(facts.pop("exception", ""))
        if str(facts["logger"]).startswith("qbwatch"):
            del facts["logger"]  # the event says it; for other libraries it says who speaks
        words = [*([stamp] if stamp else []), self._tint(f"{level:<8}", _COLOURS.get(level, "0")), message]
        words += [f"{self._tint(key, '2')}={_quote(value)}" for key, value in facts.items()]
        line = " ".join(words)
        if not traceback:
            return line
        if self._colours:  # a person is watching; each line is set off, so that none passes for an event
            return line + "".join(f"\n    | {part}" for part in traceback.split("\\n"))
        return f"{line} exception={_quote(traceback)}"

    def _tint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colours else text


def _quote(value: object) -> str:
    """A value as it stands behind ``key=``: in quotes where a space or sign in it could pass for the next fact."""
    if value is None or isinstance(value, bool | int | float):
        return jsonlib.dumps(value)
    text = value if isinstance(value, str) else jsonlib.dumps(value, ensure_ascii=False)
    return text if text and not set(text) & set(" =\"'") else '"' + text.replace('"', '\\"') + '"'


class _Handler(logging.Handler):
    """Writes whole lines to a stream, straight to its descriptor where it has one, and survives whatever happens there.

    Not through the stream's buffer: after a full disk it would keep the failed bytes and fail again with each line.
    """

    def __init__(self, stream: TextIO, renderer: _Renderer) -> None:
        super().__init__()
        self.setFormatter(renderer)
        self._stream = stream
        self._lost = 0
        self._torn = False

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises; a line that can't be rendered is replaced by one that says so."""
        lines = [self._line(record)]
        if self._lost:
            lines.insert(0, self._line(_notice(record.name, f"{self._lost} log lines before this one were lost")))
        try:
            for line in lines:
                self._put(line)
            self._lost = 0
        except (OSError, ValueError):  # a full disk, a reader that left, a closed stream
            self._lost += 1

    def _line(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001 (a mistake in a log call must not end the work that it describes)
            return self.format(_notice(record.name, f"a log line could not be written: {type(error).__name__}"))

    def _put(self, line: str) -> None:
        data = line.encode("utf-8", "backslashreplace")
        if len(data) > _LONGEST_LINE:
            data = data[:_LONGEST_LINE] + " … (cut)".encode()
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        data = data.decode("utf-8", "ignore").encode(encoding, "backslashreplace") + b"\n"
        try:
            descriptor = self._stream.fileno()
        except (io.UnsupportedOperation, AttributeError):  # not a file: a test's or a caller's buffer
            self._stream.write(data.decode(encoding))
            return
        data = b"\n" + data if self._torn else data
        while data:
            data = data[os.write(descriptor, data) :]
            self._torn = bool(data)


class _Memory(logging.Handler):
    """Keeps the last lines; never raises."""

    def __init__(self, renderer: _Renderer) -> None:
        super().__init__()
        self.setFormatter(renderer)

    def emit(self, record: logging.LogRecord) -> None:
        """One line more."""
        with contextlib.suppress(Exception):
            keep(self.format(record))


def _notice(name: str, text: str) -> logging.LogRecord:
    """A line about the log itself. The message is an argument, so that no sign in it is taken for a format."""
    return logging.LogRecord(name, logging.ERROR, __file__, 0, "%s", (text,), None)
