"""Where events go: several exporters to one endpoint send each event once.

There are two when `OTEL_TRACES_EXPORTER=llm_observer` makes one and `LLM_OBSERVER_ENABLED=true` another.
"""

import itertools
from weakref import WeakValueDictionary

__all__ = ["Sender", "join"]

_MOST_IDS = 8192
"""How many events are remembered, at least: those of some seconds, which is what two queues may lie apart."""


class _Destination:
    """One endpoint and key. Without a lock, which a fork could leave held: each step is one operation of a `dict`."""

    def __init__(self) -> None:
        self.senders: set[int] = set()
        self._recent: dict[str, int] = {}
        self._earlier: dict[str, int] = {}

    def owner(self, event_id: str, sender: int) -> int:
        """Who sends the event: the first that asked."""
        owner = self._earlier.get(event_id)
        if owner is None:
            recent = self._recent
            owner = recent.setdefault(event_id, sender)
            if len(recent) >= _MOST_IDS:
                self._earlier, self._recent = recent, {}
        return owner


class Sender:
    """One of those that send to a destination."""

    def __init__(self, destination: _Destination) -> None:
        self._destination = destination
        self._number = next(_numbers)
        destination.senders.add(self._number)

    def takes(self, event_id: str) -> bool:
        """Whether this one is to send the event."""
        destination = self._destination
        return len(destination.senders) < 2 or destination.owner(event_id, self._number) == self._number

    def leave(self) -> None:
        """Send nothing from now on."""
        self._destination.senders.discard(self._number)


def join(endpoint: str, api_key: str) -> Sender:
    """A new sender to `endpoint` under `api_key`."""
    return Sender(_destinations.setdefault((endpoint, api_key), _Destination()))


_numbers = itertools.count()
_destinations: WeakValueDictionary[tuple[str, str], _Destination] = WeakValueDictionary()
