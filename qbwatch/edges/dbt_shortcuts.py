"""What dbt does again and again in every command, for nobody; left out in the warm dbt, where builds are to be quick.

Each shortcut replaces one method of dbt's. Where a release has it otherwise, dbt is left as it is.
"""

from __future__ import annotations

from typing import Any

_NODES = ("model.", "test.", "seed.", "snapshot.", "unit_test.")  # what the names of their sessions begin with


def spare_unread_lines() -> None:
    """dbt renders every event for each of its logs, and only then asks whether that log takes its level: a sixth of a
    build's work, for nobody. Where a release has it otherwise, it is left as it is."""
    import dbt_common.events.logger as dbt_logger

    logger: Any = dbt_logger
    try:
        write, numbers, level_of = logger._Logger.write_line, logger._log_level_map, logger.EventLevel
    except AttributeError:
        return

    def write_line(self: Any, message: Any) -> None:
        log = self._python_logger
        if log is None or log.isEnabledFor(numbers[level_of(message.info.level)]) or logger._is_print_event(message):
            write(self, message)

    logger._Logger.write_line = write_line


def keep_sessions() -> None:
    """dbt ends its session after each node and begins another for the next one, which has to read the catalog anew for
    every table and view it meets: a third of the database's work in a build. So each thread keeps the session of its
    nodes until the command is over, and between two of them everything that one may have left in it is wiped, as a
    pooler does. Other sessions end as soon as ever: there are never more at a time than dbt would have."""
    from dbt.adapters.postgres.connections import PostgresConnectionManager

    manager: Any = PostgresConnectionManager
    try:
        end, find = manager.release, manager.get_if_exists
    except AttributeError:
        return

    def release(self: Any) -> None:
        connection = find(self)
        is_of_node = connection is not None and str(connection.name).startswith(_NODES)
        if is_of_node and connection.state == "open" and wiped(connection.handle):
            connection.transaction_open = False
        else:
            end(self)

    manager.release = release


def wiped(session: Any) -> bool:
    """Whether a session is as if it had just begun; False for one that is lost or can't be wiped."""
    try:
        session.rollback()
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("discard all")
        session.reset()  # what the driver itself sets in a new session
        return True
    except Exception:  # noqa: BLE001 - whatever it is, a new session takes its place
        return False
