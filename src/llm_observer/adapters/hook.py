"""The hook into one SDK: patches its shared base client, and takes the patches off again exactly.

Everything a resource method does goes through `request` of the base client, once per call with every retry inside;
also on clients made before the patch, which hold bound references to `post`. Another instrumentation that was there
first may have put a wrapper of that `request` on a client's class: such a wrapper goes around us, and is wrapped too.
Attempts go through `_build_request`,
which has the bytes as sent. The items of a stream go through `__stream__`.
"""

import functools
import importlib
import inspect
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any, NamedTuple

from opentelemetry import context as otel_context
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from wrapt import register_post_import_hook

from llm_observer.adapters.assembling import assembling
from llm_observer.adapters.endpoints import Api, api_of, server_of
from llm_observer.adapters.native import expected_span
from llm_observer.adapters.scope import scope_of
from llm_observer.adapters.sent import sent_body
from llm_observer.adapters.site import call_site
from llm_observer.adapters.watch import Watch, observed_items, observed_items_async
from llm_observer.call import Call
from llm_observer.guard import guard
from llm_observer.results import CallSite
from llm_observer.telemetry.current import KEY
from llm_observer.telemetry.foreign import outer_span
from llm_observer.telemetry.runtime import Runtime
from llm_observer.telemetry.tags import current_tag

__all__ = ["Hook"]


class _Patch(NamedTuple):
    owner: type
    name: str
    original: Any
    replacement: Any


class Hook:
    """The patches on one SDK. `install` and `uninstall` may be called in any order, any number of times."""

    def __init__(self, module: str, apis: tuple[Api, ...]) -> None:
        self._module = module
        self._apis = apis
        self._patches: list[_Patch] = []
        self._streams: tuple[type, ...] = ()
        self._runtime: Runtime | None = None
        self._generation = 0
        self._lock = threading.Lock()

    def install(self, runtime: Runtime) -> None:
        """Patch the SDK: now if it is imported, else when it is. Never raises."""
        with self._lock:
            self._generation += 1
            generation = self._generation
            self._runtime = runtime

        def imported(module: ModuleType) -> None:
            # An SDK that is imported after `uninstall` stays as it is.
            with guard("hook.install"), self._lock:
                if self._generation == generation and not self._patches:
                    self._patch(module)

        with guard("hook.register"):
            register_post_import_hook(imported, self._module)

    def uninstall(self) -> None:
        """Put back the identical functions. What someone else has wrapped since stays, and passes straight through."""
        with guard("hook.uninstall"), self._lock:
            self._generation += 1
            self._runtime = None
            for patch in reversed(self._patches):
                if patch.owner.__dict__.get(patch.name) is patch.replacement:
                    setattr(patch.owner, patch.name, patch.original)
            self._patches.clear()

    def _patch(self, module: Any) -> None:
        _load_http_library(module)
        self._streams = (module.Stream, module.AsyncStream)
        wrappers: list[tuple[type, str, Callable[[Any], Any]]] = [
            (module.SyncAPIClient, "request", self._sync_request),
            (module.AsyncAPIClient, "request", self._async_request),
            (module.BaseClient, "_build_request", self._build_request),
            (module.Stream, "__stream__", _sync_stream),
            (module.AsyncStream, "__stream__", _async_stream),
        ]
        # All are found before the first is replaced: an SDK that lacks one is left alone.
        patches = [
            _Patch(owner, name, owner.__dict__[name], wrap(owner.__dict__[name])) for owner, name, wrap in wrappers
        ]
        for base, wrap in (
            (module.SyncAPIClient, self._sync_request),
            (module.AsyncAPIClient, self._async_request),
        ):
            for owner in _around(base, base.__dict__["request"]):
                found = owner.__dict__["request"]
                patches.append(_Patch(owner, "request", found, wrap(found, inside=True)))
        for patch in patches:
            setattr(patch.owner, patch.name, patch.replacement)
        self._patches = patches

    def _begin(self, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, inside: bool) -> Watch | None:
        """Begin to observe a request, if it is a call to a model. Never raises."""
        runtime = self._runtime
        if runtime is None:
            return None
        with guard("hook.begin"):
            options = kwargs["options"] if "options" in kwargs else args[1]
            api = api_of(self._apis, options)
            if api is None:
                return None
            outer = otel_context.get_value(KEY)
            if isinstance(outer, Watch) and outer.options is options:
                return None
            providers = runtime.providers
            providers.refresh()
            foreign = expected_span(client, options, providers)
            runtime.engine.warm_up()
            server = server_of(client)
            model = _model(options)
            call = Call(
                provider=server.provider,
                api=api.name,
                operation=api.operation,
                model=model,
                server_address=server.address,
                stream=bool(kwargs.get("stream")),
                tag=current_tag(),
                site=_site(runtime),
            )
            reading = api.reading(call)
            return Watch(
                runtime,
                call,
                reading if runtime.content is None else assembling(reading),
                client,
                options,
                base_url=server.text,
                address=(server.address, server.port),
                foreign=foreign,
                peer=outer_span(model, providers.may_have),
                inside=inside,
                suppressed=not is_instrumentation_enabled(),
            )
        return None

    def _sync_request(self, original: Any, *, inside: bool = False) -> Callable[..., Any]:
        call = _unbound(original) if inside else original

        @functools.wraps(original)
        def request(client: Any, *args: Any, **kwargs: Any) -> Any:
            watch = self._begin(client, args, kwargs, inside=inside)
            if watch is None:
                return call(client, *args, **kwargs)
            watch.enter()
            try:
                result = call(client, *args, **kwargs)
            except BaseException as error:
                watch.leave()
                watch.failed(error)
                raise
            watch.leave()
            watch.returned(result, self._streams)
            return result

        return request

    def _async_request(self, original: Any, *, inside: bool = False) -> Callable[..., Any]:
        call = _unbound(original) if inside else original

        @functools.wraps(original)
        async def request(client: Any, *args: Any, **kwargs: Any) -> Any:
            watch = self._begin(client, args, kwargs, inside=inside)
            if watch is None:
                return await call(client, *args, **kwargs)
            watch.enter()
            try:
                result = await call(client, *args, **kwargs)
            except BaseException as error:
                watch.leave()
                watch.failed(error)
                raise
            watch.leave()
            watch.returned(result, self._streams)
            return result

        return request

    def _build_request(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def _build_request(client: Any, *args: Any, **kwargs: Any) -> Any:
            request = original(client, *args, **kwargs)
            with guard("hook.attempt"):
                watch = otel_context.get_value(KEY)
                # A request of another client in between, such as one for a token, is no attempt.
                if isinstance(watch, Watch) and watch.client is client:
                    watch.sent()
                    _read_request(watch, request)
                    options = kwargs["options"] if "options" in kwargs else args[0]
                    with suppress(TypeError, ValueError, RuntimeError):
                        # What cannot be read so is parsed at the end of the call.
                        watch.read_body(sent_body(options))
            return request

        return _build_request


def _load_http_library(module: Any) -> None:
    """Import `httpx2` for an SDK that uses it only if somebody has.

    Such a release looks for it among the imported modules at each request, and fails on one that is half imported. Our
    price list imports it in a thread of its own, during the first call.
    """
    if f"{module.__name__.partition('.')[0]}._httpx2" in sys.modules and "httpx2" not in sys.modules:
        with guard("hook.http_library"):
            importlib.import_module("httpx2")


def _around(base: type, original: Any) -> list[type]:
    """The classes of clients that have a wrapper of `original`, the `request` of their base, for their own.

    A class that overrides `request` calls its base, and what it does around that is not a call's.
    """
    found: list[type] = []
    for kind in base.__subclasses__():
        own = kind.__dict__.get("request")
        if own is not None and own is not original and inspect.unwrap(own) is inspect.unwrap(original):
            found.append(kind)
        found += _around(kind, original)
    return found


def _unbound(method: Any) -> Callable[..., Any]:
    """`method` of a class as a function of the instance: a wrapper of wrapt's learns of that in its binding only."""

    def call(client: Any, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(client, type(client))(*args, **kwargs)

    return call


def _site(runtime: Runtime) -> CallSite | None:
    """Where the application made the call. A failure to find out costs no more than that."""
    if runtime.settings.call_site:
        with guard("hook.call_site"):
            return call_site()
    return None


def _sync_stream(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __stream__(stream: Any) -> Any:  # noqa: N807  the SDK's name
        return observed_items(stream, original(stream))

    return __stream__


def _async_stream(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def __stream__(stream: Any) -> Any:  # noqa: N807  the SDK's name
        return observed_items_async(stream, original(stream))

    return __stream__


def _model(options: Any) -> str | None:
    """The model that the request names: read by name, since the body may hold iterators and is the caller's own."""
    for body in (options.extra_json, options.json_data):
        if isinstance(body, dict):
            model: object = body.get("model")  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            # Its plain text: a subclass may mean something else by its length or by `str`.
            if isinstance(model, str) and (name := str.__str__(model)):
                return name
    return None


def _read_request(watch: Watch, request: Any) -> None:
    """Keep the body of an attempt as sent, and whose cache it may read."""
    call = watch.call
    # A body that is not in memory, such as one of files, is not ours to read.
    if hasattr(request, "_content"):
        call.body = request.content
    if call.scope is None:
        call.scope = scope_of(call.provider, watch.base_url, request)
