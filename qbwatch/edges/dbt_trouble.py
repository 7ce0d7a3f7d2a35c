"""Whose fault is it? Tells faults of the infrastructure from those of rights and settings, by what was said.

dbt passes on the text of a database error and drops its SQLSTATE, so the text is all there is. The client's part of it
is English, since dbt is started in the C locale; the server's is in the server's language, and a message in another
language than English is taken for the model's own error.
"""

from __future__ import annotations

import re

_INFRASTRUCTURE = re.compile(
    r"connection refused|connection reset|connection timed out|timeout expired|could not connect|no route to host"
    r"|could not translate host name|could not receive data|could not send data|broken pipe"
    r"|server closed the connection|connection (?:is |already |has been )*(?:closed|lost)"
    r"|no such file or directory.*is the server running|connection to server .* failed: (?!fatal)"
    r"|the database system is|terminating connection|administrator command|crash of another server process"
    r"|too many (?:clients|connections)|remaining connection slots|connection limit exceeded|pooler error"
    r"|deadlock detected|lock timeout|could not obtain lock|lock not available|could not serialize access"
    r"|canceling statement due to (?:user request|statement timeout|conflict with recovery)"
    r"|no space left on device|disk full|disk quota exceeded|out of (?:shared )?memory|cannot allocate memory"
    r"|could not resize shared memory|cannot execute .* in a read-only transaction",
    re.IGNORECASE | re.DOTALL,
)
_RIGHTS = re.compile(
    r"authentication failed|no password supplied|no pg_hba\.conf entry"
    r"|(?:role|database|user) \".*\" (?:does not exist|is not permitted to log in)|permission denied for",
    re.IGNORECASE,
)


def is_infrastructure(text: str) -> bool:
    """True when the text tells of a fault that passes by itself or with the machine's recovery."""
    return _INFRASTRUCTURE.search(text) is not None and not is_about_rights(text)


def is_about_rights(text: str) -> bool:
    """True when the server is there and refuses us: another try changes nothing."""
    return _RIGHTS.search(text) is not None
