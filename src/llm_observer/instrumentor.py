"""`LLMObserverInstrumentor`: wires settings, engine, telemetry and the hooks into the SDKs together."""

import logging
from collections.abc import Collection
from typing import Any, ClassVar

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from llm_observer.adapters.endpoints import ANTHROPIC_APIS, OPENAI_APIS
from llm_observer.adapters.hook import Hook
from llm_observer.config import Settings
from llm_observer.engine import Engine
from llm_observer.guard import guard
from llm_observer.telemetry.runtime import Runtime
from llm_observer.wiring import connect, disconnect

__all__ = ["LLMObserverInstrumentor", "Runtime", "wire"]

log = logging.getLogger("llm_observer")

_hooks = (Hook("openai._base_client", OPENAI_APIS), Hook("anthropic._base_client", ANTHROPIC_APIS))


_PROVIDERS = ("tracer_provider", "meter_provider", "logger_provider")


def wire(
    settings: Settings, *, tracer_provider: Any = None, meter_provider: Any = None, logger_provider: Any = None
) -> Runtime:
    """The runtime of one instrumentation."""
    engine = Engine.create(settings)
    runtime = Runtime(
        settings,
        engine,
        tracer_provider=tracer_provider,
        meter_provider=meter_provider,
        logger_provider=logger_provider,
    )
    connect(runtime, meter_provider=meter_provider)
    return runtime


class LLMObserverInstrumentor(BaseInstrumentor):
    """Instruments the OpenAI and Anthropic SDKs, whichever are there, before or after they are imported.

    `instrument` takes `tracer_provider`, `meter_provider`, `logger_provider` and every argument of `Settings.resolve`;
    or `runtime`, one that was made before, in place of them all. Neither it nor `uninstrument` raises: an error here
    would keep other instrumentations from loading.
    """

    runtime: ClassVar[Runtime | None] = None
    """What the current instrumentation works with; `None` while there is none."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """None that must be there: any one SDK will do, and it may be installed later."""
        return ()

    def _instrument(self, *, runtime: Runtime | None = None, **kwargs: Any) -> None:
        with guard("instrument"):
            if runtime is not None:
                self.use(runtime)
                return
            providers = {name: kwargs.pop(name, None) for name in _PROVIDERS}
            settings = Settings.resolve(**kwargs)
            if settings.log_level is not None:
                log.setLevel(settings.log_level)
            for problem in settings.problems:
                log.warning("%s", problem)
            if settings.disabled:
                return
            self.use(wire(settings, **providers))

    @staticmethod
    def use(runtime: Runtime | None) -> None:
        """Have the hooks work with `runtime` from now on, or with none: then the SDKs are as they were."""
        LLMObserverInstrumentor.runtime = runtime
        if runtime is not None:
            with guard("providers.prepare"):
                runtime.providers.prepare()
        for hook in _hooks:
            if runtime is not None:
                hook.install(runtime)
            else:
                hook.uninstall()

    def _uninstrument(self, **kwargs: Any) -> None:  # noqa: ARG002  the interface's
        runtime = LLMObserverInstrumentor.runtime
        self.use(None)
        disconnect(runtime)
