"""The engine: turns a finished `Call` into a `CallReport`. The same for live and for recorded calls."""

from llm_observer.call import Call
from llm_observer.results import CallReport

__all__ = ["Engine"]


class Engine:
    """Explains calls. Holds the prefix index, the prices and the hash key of one process."""

    def explain(self, call: Call) -> CallReport:
        """The report of a finished call; made once and kept on it. Never raises: what fails is left out."""
        if call.report is None:
            call.report = CallReport(provider=call.provider, api=call.api, model=call.model, at=call.at)
        return call.report
