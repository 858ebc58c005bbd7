"""`Settings`: what the user set, resolved once. Arguments win over the environment, the environment over defaults."""

import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import platformdirs

__all__ = ["Settings", "state_dir"]

PREFIX = "LLM_OBSERVER_"

VARIABLES: Mapping[str, str] = {
    "enabled": "LLM_OBSERVER_ENABLED",
    "api_key": "LLM_OBSERVER_API_KEY",
    "endpoint": "LLM_OBSERVER_ENDPOINT",
    "disabled": "LLM_OBSERVER_DISABLED",
    "store": "LLM_OBSERVER_STORE",
    "hash_key": "LLM_OBSERVER_HASH_KEY",
    "prices": "LLM_OBSERVER_PRICES",
    "cache_rules": "LLM_OBSERVER_CACHE_RULES",
    "log_level": "LLM_OBSERVER_LOG_LEVEL",
    "send_names": "LLM_OBSERVER_SEND_NAMES",
    "call_site": "LLM_OBSERVER_CALL_SITE",
    "snippets": "LLM_OBSERVER_SNIPPETS",
}
"""The environment variable of each setting."""

_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off"})
_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
_NOT_IN_HEADERS = re.compile(r"[^!-~]")
_NOT_IN_URLS = re.compile(r"[\s\\\x00-\x1f\x7f]")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def state_dir() -> Path:
    """The user's state directory for this package, as each system has it."""
    return Path(platformdirs.user_state_dir("llm-observer", appauthor=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one instrumented process.

    Attributes:
        enabled: `None` local only, true: send (needs key and endpoint), false: never send, whatever the code says.
        api_key: The Bearer token. Never shown by `repr`.
        endpoint: Where events are posted, exactly as given. Never shown by `repr`: a URL can hold a secret.
        disabled: Patch nothing at all.
        store: The file of the local store, `None` when it is off.
        hash_key: The secret that keys the hashes, `None` for the installation's own. Never shown by `repr`.
        prices: A file of price overrides.
        cache_rules: A file of cache rules that go before those of this version.
        log_level: Level of the logger `llm_observer`, `None` to leave it alone.
        send_names: Let call sites, fine-tune and deployment names into events that are sent.
        call_site: Record the line of the application that made each call.
        snippets: Show a few common words around the place where a prompt broke, on spans and in the store.
        problems: One line for each setting that could not be used, what it is and how to mend it.
    """

    enabled: bool | None = None
    api_key: str | None = field(default=None, repr=False)
    endpoint: str | None = field(default=None, repr=False)
    disabled: bool = False
    store: Path | None = None
    hash_key: str | None = field(default=None, repr=False)
    prices: Path | None = None
    cache_rules: Path | None = None
    log_level: str | None = None
    send_names: bool = False
    call_site: bool = True
    snippets: bool = False
    problems: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether events leave the process."""
        return bool(self.enabled and self.api_key and self.endpoint)

    @classmethod
    def resolve(cls, environ: Mapping[str, str] | None = None, /, **arguments: Any) -> Self:
        """The settings from keyword arguments (`None` counts as not given) and `environ`. Never raises.

        `LLM_OBSERVER_ENABLED=false` and `LLM_OBSERVER_DISABLED=true` win over arguments too. An argument that is no
        setting is one of the problems: a file of OpenTelemetry's may hold any.
        """
        environ = os.environ if environ is None else environ
        variables = [name for name in environ if name.startswith(PREFIX)]
        problems = [*_strangers(variables, VARIABLES.values()), *_strangers(arguments, VARIABLES)]
        read = _Reader(environ, arguments, problems)
        enabled = read.flag("enabled")
        if read.environment_flag("enabled") is False:
            enabled = False
        disabled = bool(read.flag("disabled")) or read.environment_flag("disabled") is True
        api_key, endpoint = read.key(), read.endpoint()
        if enabled and not disabled:
            if not read.text("api_key"):
                problems.append("telemetry is enabled without a key, so nothing is sent: set LLM_OBSERVER_API_KEY")
            if not read.text("endpoint"):
                problems.append(
                    "telemetry is enabled without an endpoint, so nothing is sent: set LLM_OBSERVER_ENDPOINT"
                )
        elif enabled is None and not disabled and api_key and not read.text("endpoint"):
            problems.append(
                "LLM_OBSERVER_API_KEY is set without LLM_OBSERVER_ENDPOINT, so nothing is sent: sending takes both and"
                " LLM_OBSERVER_ENABLED=true"
            )
        return cls(
            enabled=enabled,
            api_key=api_key,
            endpoint=endpoint,
            disabled=disabled,
            store=read.store(),
            hash_key=read.text("hash_key"),
            prices=read.path("prices"),
            cache_rules=read.path("cache_rules"),
            log_level=read.level(),
            send_names=bool(read.flag("send_names")),
            call_site=read.flag("call_site") is not False,
            snippets=bool(read.flag("snippets")),
            problems=tuple(problems),
        )


class _Reader:
    """Reads one setting at a time, and notes what it cannot use."""

    def __init__(self, environ: Mapping[str, str], arguments: Mapping[str, Any], problems: list[str]) -> None:
        self._environ = environ
        self._arguments = arguments
        self._problems = problems

    def text(self, name: str) -> str | None:
        value = self._arguments.get(name)
        if isinstance(value, (Mapping, list)):
            self._problem(f"{name} is not one value: it is not used")
            value = None
        text = str(value).strip() if value is not None else self._environment(name)
        return text or None

    def _environment(self, name: str) -> str:
        """What the variable says. Quotes around it were meant for a shell, and some readers of `.env` keep them."""
        text = self._environ.get(VARIABLES[name], "").strip()
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            self._problem(f"{VARIABLES[name]} stands in quotes: they are taken off")
            text = text[1:-1].strip()
        return text

    def _problem(self, line: str) -> None:
        if line not in self._problems:
            self._problems.append(line)

    def environment_flag(self, name: str) -> bool | None:
        value = self._environment(name).lower()
        return True if value in _TRUE else False if value in _FALSE else None

    def flag(self, name: str) -> bool | None:
        argument = self._arguments.get(name)
        if isinstance(argument, bool):
            return argument
        text = self.text(name)
        if text is None:
            return None
        if text.lower() in _TRUE:
            return True
        if text.lower() not in _FALSE:
            self._problem(f"{VARIABLES[name]} is neither true nor false: it counts as false")
        return False

    def path(self, name: str) -> Path | None:
        text = self.text(name)
        if text is None:
            return None
        try:
            return Path(text).expanduser()
        except RuntimeError:
            self._problem(f"{VARIABLES[name]} is in the home of a user that is not known: it is not used")
            return None

    def store(self) -> Path | None:
        text = self.text("store")
        # YAML reads `on` and `off` as flags.
        if text is None or text.lower() in _TRUE:
            return state_dir() / "calls.db"
        return None if text.lower() in _FALSE else self.path("store")

    def level(self) -> str | None:
        text = self.text("log_level")
        if text is None:
            return None
        if text.upper() in _LEVELS:
            return text.upper()
        self._problem(f"LLM_OBSERVER_LOG_LEVEL is none of {', '.join(sorted(_LEVELS))}: it is ignored")
        return None

    def key(self) -> str | None:
        """The key, unless it cannot stand in a header."""
        text = self.text("api_key")
        if text is None or _NOT_IN_HEADERS.search(text) is None:
            return text
        self._problem("LLM_OBSERVER_API_KEY has characters that cannot be sent, so nothing is sent")
        return None

    def endpoint(self) -> str | None:
        """The endpoint, unless a token sent there could be read on the way."""
        text = self.text("endpoint")
        if text is None:
            return None
        wrong = _wrong_with(text)
        if wrong:
            self._problem(f"LLM_OBSERVER_ENDPOINT {wrong}")
            return None
        return text


def _wrong_with(endpoint: str) -> str | None:
    """Why nothing may be sent to this URL."""
    try:
        url = urlsplit(endpoint)
        host, _port = url.hostname or "", url.port
    except ValueError:
        host, url = "", urlsplit("")
    # A backslash: readers of URLs do not agree on where the host begins.
    if url.scheme not in {"http", "https"} or not host or _NOT_IN_URLS.search(endpoint):
        return "is not a URL, so nothing is sent: give https://host/path"
    if "@" in url.netloc:
        return "has a login in it, so nothing is sent: LLM_OBSERVER_API_KEY is what identifies you"
    if url.scheme == "http" and host not in _LOOPBACK:
        return "is not https, so nothing is sent: the key would be readable"
    return None


def _strangers(names: Iterable[str], known: Collection[str]) -> list[str]:
    """A line for each of `names` that is not known."""
    lines: list[str] = []
    for name in sorted(names):
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            # A name may hold anything, line feeds too.
            lines.append(f"{ascii(name)[1:-1]} is not a setting" + (f": did you mean {close[0]}?" if close else ""))
    return lines
