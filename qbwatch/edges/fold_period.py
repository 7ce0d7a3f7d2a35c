"""A report's statement: it speaks for every day of its period, so a day of it that has no row is a day without any.

Its rows are stored like documents whose key is the ISO day. Those compare as text like days, so a period is a range
of keys.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import psycopg
from psycopg import sql

from qbwatch.core.period import Period


def empty_other_days(
    cursor: psycopg.Cursor[Any],
    stage: sql.Identifier,
    target: sql.Identifier,
    period: Period | None,
    spared: Collection[str],
) -> int:
    """Delete the target's rows of those days within the period that the stage doesn't mention; returns their number.

    Days outside of the period stay, and ``spared`` ones, whose rows the report states unreadably. Without a period it
    is that of the stage's rows.
    """
    spoken_for = period or staged_days(cursor, stage)
    if spoken_for is None:
        return 0
    query = sql.SQL(
        """DELETE FROM {target} AS t WHERE t._key BETWEEN %(first)s AND %(last)s AND t._key <> ALL(%(spared)s)
             AND NOT EXISTS (SELECT FROM {stage} AS s WHERE s._key = t._key)"""
    ).format(target=target, stage=stage)
    values = {"first": spoken_for.first.isoformat(), "last": spoken_for.last.isoformat(), "spared": list(spared)}
    return cursor.execute(query, values).rowcount


def staged_days(cursor: psycopg.Cursor[Any], stage: sql.Identifier) -> Period | None:
    """The range of days that the stage's rows speak for; None without a row."""
    query = sql.SQL('SELECT min(_key COLLATE "C"), max(_key COLLATE "C") FROM {stage}').format(stage=stage)
    row = cursor.execute(query).fetchone()
    if row is None or row[0] is None:
        return None
    return Period(date.fromisoformat(row[0]), date.fromisoformat(row[1]))
