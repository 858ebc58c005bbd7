"""`LLMObserverInstrumentor`: wires settings, engine, telemetry and the hooks into the SDKs together."""

import logging
import threading
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


_lock = threading.Lock()

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

    _aside: ClassVar[Runtime | None] = None
    """What calls are explained with of which others tell, while nothing is instrumented."""
    _ended: ClassVar[bool] = False
    """Whether the user has taken the instrumentation back, and with it what works without one."""

    @classmethod
    def current(cls) -> Runtime | None:
        """The runtime of the instrumentation, else one of the environment's settings that patches nothing.

        `None` when the settings say so, and from `uninstrument` on until the next `instrument`.
        """
        if cls.runtime is not None or cls._ended:
            return cls.runtime
        with _lock:
            if cls._aside is None:
                settings = Settings.resolve()
                if settings.disabled:
                    return None
                cls._aside = wire(_heeded(settings))
        return cls._aside

    @classmethod
    def end(cls) -> None:
        """Let nothing be explained from now on, of what others tell of neither. Never raises."""
        with _lock:
            aside, cls._aside, cls._ended = cls._aside, None, True
        disconnect(aside)

    def instrumentation_dependencies(self) -> Collection[str]:
        """None that must be there: any one SDK will do, and it may be installed later."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        with guard("instrument"):
            if isinstance(runtime := kwargs.get("runtime"), Runtime):
                LLMObserverInstrumentor._ended = False
                self.use(runtime)
                return
            providers = {name: kwargs.pop(name, None) for name in _PROVIDERS}
            settings = Settings.resolve(**kwargs)
            with _lock:
                aside = LLMObserverInstrumentor._aside
                LLMObserverInstrumentor._aside, LLMObserverInstrumentor._ended = None, False
            if aside is not None and aside.settings == settings and not any(providers.values()):
                # What is known of the calls that others have told of stays known.
                self.use(aside)
                return
            disconnect(aside)
            if not _heeded(settings).disabled:
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
        self.end()
        disconnect(runtime)


def _heeded(settings: Settings) -> Settings:
    """The settings, of which those about the log are heeded, and what is wrong with them is in the log."""
    if settings.log_level is not None:
        log.setLevel(settings.log_level)
    for problem in settings.problems:
        log.warning("%s", problem)
    return settings
