"""What people were told in the soak: that each fault came, and to each who was told so, that it is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from email.message import Message as Mail
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from soak_world import World

_SENT = """
SELECT incident_id, service,
       count(*) FILTER (WHERE kind = 'opened' AND subject NOT LIKE 'qbwatch: over by now: %'),
       count(*) FILTER (WHERE kind = 'recovered'),
       count(*) FILTER (WHERE kind NOT IN ('opened', 'reminder', 'recovered'))
FROM qbwatch.deliveries WHERE delivered_at IS NOT NULL GROUP BY incident_id, service"""


def times_told(taken: Sequence[str | Mail], code: str) -> int:
    """How often a service was told that there is trouble of this code; that some is over doesn't count.

    Only what is told of trouble that is there says what goes on meanwhile.
    """
    parts = [part for each in taken for part in _text(each).split("\n---\n")]
    return sum(f"({code})" in part and "\nMeanwhile: " in part for part in parts)


def _text(taken: str | Mail) -> str:
    if isinstance(taken, str):
        return taken
    plain = next(part for part in taken.walk() if part.get_content_type() == "text/plain")
    content = plain.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")


def assert_every_fault_was_told_once(world: World) -> None:
    """One incident for each fault that people must know of, over by now; told when it came and when it went.

    What was told to nobody before it was over is one message that says both.
    """
    incidents = world.incidents()
    assert [each for each in incidents if not each[3]] == []
    told: Counter[str] = Counter()
    for code, _, times, _ in incidents:
        told[code] += times
    by_chance = told["missing_export"] - world.told["missing_export"]
    assert 0 <= by_chance <= world.weeks, incidents
    assert +told == world.told + Counter(missing_export=by_chance), incidents
    sent = world.lab.installation.query(_SENT)
    assert [each for each in sent if each[2] != each[3]] == [], "each end is told to whom the beginning was"
    assert {other for *_, other in sent} == {0}
