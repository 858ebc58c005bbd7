"""What stands around a date or clock and belongs to it: the weekday, the clock before it, the zone behind it."""

from llm_observer.analysis.breakers.date_patterns import CLOCK_BEFORE, DAY_BEFORE, ZONE
from llm_observer.analysis.breakers.names import is_weekday

__all__ = ["clock_before", "day_before", "with_zone"]


def day_before(head: str) -> int:
    """The length of the weekday that ends `head`, with the marks behind it; 0 without one."""
    if not head or (head[-1] != " " and head[-1].isascii()) or head[-2:-1].isdigit():
        return 0
    before = DAY_BEFORE.search(head, max(0, len(head) - 28))
    if before and (not before["word"] or is_weekday(before["word"])):
        return len(head) - before.start()
    return 0


def clock_before(head: str) -> int:
    """The length of the clock that ends `head`, with what joins it to the date; 0 without one."""
    if head[-1:] != " " or (":" not in head[-24:] and head.isascii()):
        return 0
    before = CLOCK_BEFORE.search(head, max(0, len(head) - 32))
    return len(head) - before.start() if before else 0


def with_zone(text: str, end: int) -> int:
    """The end of the time zone behind a clock that ends at `end`; `end` without one."""
    zone = ZONE.match(text, end)
    return zone.end() if zone else end
