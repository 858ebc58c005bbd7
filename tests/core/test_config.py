"""Settings: precedence, what is refused and how the user learns of it."""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_observer.config import VARIABLES, Settings, state_dir

SENDS = {
    "LLM_OBSERVER_ENABLED": "true",
    "LLM_OBSERVER_API_KEY": "key",
    "LLM_OBSERVER_ENDPOINT": "https://in.example/v1",
}


def problems(environ: dict[str, str], **arguments: Any) -> tuple[str, ...]:
    return Settings.resolve(environ, **arguments).problems


def test_without_anything_set_everything_is_local_and_nothing_is_a_problem() -> None:
    settings = Settings.resolve({})
    assert settings == Settings(store=state_dir() / "calls.db")
    assert not settings.sends
    assert settings.enabled is None


def test_the_environment_of_the_process_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_OBSERVER_STORE", "off")
    assert Settings.resolve().store is None


@pytest.mark.parametrize(
    ("name", "value", "given", "expected"),
    [
        ("enabled", "true", False, False),
        ("api_key", "from-environment", "given", "given"),
        ("endpoint", "https://a.example/", "https://b.example/", "https://b.example/"),
        ("store", "/a/calls.db", "/b/calls.db", Path("/b/calls.db")),
        ("store", "/a/calls.db", "off", None),
        ("hash_key", "0" * 64, "1" * 64, "1" * 64),
        ("prices", "/a.toml", "/b.toml", Path("/b.toml")),
        ("log_level", "debug", "error", "ERROR"),
        ("send_names", "true", False, False),
        ("call_site", "false", True, True),
    ],
)
def test_an_argument_wins_over_the_environment_which_wins_over_the_default(
    name: str, value: str, given: Any, expected: Any
) -> None:
    default = getattr(Settings.resolve({}), name)
    environ = {VARIABLES[name]: value}
    from_environment = getattr(Settings.resolve(environ), name)
    assert from_environment != default
    assert getattr(Settings.resolve(environ, **{name: given}), name) == expected != from_environment
    assert getattr(Settings.resolve(environ, **{name: None}), name) == from_environment


@pytest.mark.parametrize("word", ["false", "0", "no", "off", " FALSE "])
def test_enabled_false_in_the_environment_wins_over_the_code(word: str) -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENABLED": word}, enabled=True)
    assert settings.enabled is False
    assert not settings.sends
    assert settings.problems == ()


@pytest.mark.parametrize(
    ("environ", "argument", "disabled"),
    [("true", None, True), ("true", False, True), ("false", True, True), ("false", None, False), ("", True, True)],
)
def test_disabled_is_true_when_the_environment_or_the_code_says_so(
    *, environ: str, argument: bool | None, disabled: bool
) -> None:
    assert Settings.resolve({"LLM_OBSERVER_DISABLED": environ}, disabled=argument).disabled is disabled


def test_events_are_sent_with_a_key_an_endpoint_and_consent() -> None:
    assert Settings.resolve(SENDS).sends
    for missing in SENDS:
        assert not Settings.resolve({name: value for name, value in SENDS.items() if name != missing}).sends


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", " True\n"])
def test_words_for_true(word: str) -> None:
    assert Settings.resolve({"LLM_OBSERVER_SEND_NAMES": word}).send_names


def test_an_empty_value_counts_as_not_set() -> None:
    assert Settings.resolve(dict.fromkeys(VARIABLES.values(), "  ")) == Settings.resolve({})


def test_enabled_without_a_key_and_without_an_endpoint_is_two_problems() -> None:
    assert problems({"LLM_OBSERVER_ENABLED": "true"}) == (
        "telemetry is enabled without a key, so nothing is sent: set LLM_OBSERVER_API_KEY",
        "telemetry is enabled without an endpoint, so nothing is sent: set LLM_OBSERVER_ENDPOINT",
    )


def test_what_is_disabled_has_no_problem_with_a_missing_key() -> None:
    assert problems({"LLM_OBSERVER_ENABLED": "true", "LLM_OBSERVER_DISABLED": "true"}) == ()


@pytest.mark.parametrize(
    "endpoint", ["http://in.example/v1", "HTTP://in.example", "http://127.0.0.1.example/", "http://localhost.example/"]
)
def test_an_endpoint_where_the_key_could_be_read_on_the_way_is_refused(endpoint: str) -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENDPOINT": endpoint})
    assert not settings.sends
    assert settings.problems == ("LLM_OBSERVER_ENDPOINT is not https, so nothing is sent: the key would be readable",)


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:4318/v1", "http://127.0.0.1/", "http://[::1]:80/", "https://x/"]
)
def test_an_endpoint_that_is_https_or_on_this_machine_is_taken_as_it_is(endpoint: str) -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENDPOINT": endpoint})
    assert settings.endpoint == endpoint
    assert settings.problems == ()


@pytest.mark.parametrize("endpoint", ["in.example/v1", "ftp://in.example", "https://", "https:///v1", "https://[::1"])
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENDPOINT": endpoint})
    assert settings.endpoint is None
    assert settings.problems == ("LLM_OBSERVER_ENDPOINT is not a URL, so nothing is sent: give https://host/path",)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://in.example\\@127.0.0.1/",
        "http://in.example\\@127.0.0.1/",
        "http://127.0.0.1\\.in.example/",
        "https://in.example/a b",
        "https://in.example/a\nHost: other.example",
        "https://in.example:99999/",
        "https://in.example:port/",
    ],
)
def test_an_endpoint_that_readers_of_urls_do_not_agree_on_is_refused(endpoint: str) -> None:
    """To one of them it may be this machine, and to the one that connects another."""
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENDPOINT": endpoint})
    assert settings.endpoint is None
    assert settings.problems == ("LLM_OBSERVER_ENDPOINT is not a URL, so nothing is sent: give https://host/path",)


@pytest.mark.parametrize("endpoint", ["https://me:secret@in.example/", "http://localhost@in.example/", "https://@x/"])
def test_an_endpoint_with_a_login_is_refused(endpoint: str) -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENDPOINT": endpoint})
    assert settings.endpoint is None
    assert settings.problems == (
        "LLM_OBSERVER_ENDPOINT has a login in it, so nothing is sent: LLM_OBSERVER_API_KEY is what identifies you",
    )


@pytest.mark.parametrize("key", ["sec\nret", "sec\r\nX-Other: y", "sec ret", "s\u00e9cret", "sec\x7fret", "sec\x00ret"])
def test_a_key_that_cannot_stand_in_a_header_is_refused(key: str) -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_API_KEY": key})
    assert not settings.sends
    assert settings.problems == ("LLM_OBSERVER_API_KEY has characters that cannot be sent, so nothing is sent",)


@pytest.mark.parametrize("wrap", ["{}\n", " {}\r\n", "\t{} "])
def test_white_space_around_a_value_is_no_part_of_it(wrap: str) -> None:
    settings = Settings.resolve({name: wrap.format(value) for name, value in SENDS.items()})
    assert settings == Settings.resolve(SENDS)


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_around_a_value_are_taken_off_and_said(quote: str) -> None:
    """As a `.env` has them that is read by what is no shell. A single one is part of the value."""
    settings = Settings.resolve({name: f"{quote}{value}{quote}\n" for name, value in SENDS.items()})
    assert settings.sends
    assert settings.api_key == SENDS["LLM_OBSERVER_API_KEY"]
    assert sorted(settings.problems) == [f"{name} stands in quotes: they are taken off" for name in sorted(SENDS)]
    single = Settings.resolve(SENDS | {"LLM_OBSERVER_API_KEY": f"k{quote}"})
    assert single.api_key == f"k{quote}"
    assert single.problems == ()


def test_a_key_without_an_endpoint_is_said_unless_it_was_said_to_send_nothing() -> None:
    key = {"LLM_OBSERVER_API_KEY": "k"}
    assert problems(key) == (
        (
            "LLM_OBSERVER_API_KEY is set without LLM_OBSERVER_ENDPOINT, so nothing is sent: sending takes both and"
            " LLM_OBSERVER_ENABLED=true"
        ),
    )
    assert problems(key | {"LLM_OBSERVER_ENABLED": "false"}) == ()
    assert problems(key | {"LLM_OBSERVER_DISABLED": "true"}) == ()
    assert problems(key | {"LLM_OBSERVER_ENDPOINT": "https://in.example/"}) == ()


def test_a_flag_that_is_neither_true_nor_false_counts_as_false_and_is_named() -> None:
    settings = Settings.resolve(SENDS | {"LLM_OBSERVER_ENABLED": "ture"})
    assert settings.enabled is False
    assert settings.problems == ("LLM_OBSERVER_ENABLED is neither true nor false: it counts as false",)


def test_a_log_level_that_there_is_not_is_ignored_and_named() -> None:
    settings = Settings.resolve({"LLM_OBSERVER_LOG_LEVEL": "loud"})
    assert settings.log_level is None
    assert settings.problems == (
        "LLM_OBSERVER_LOG_LEVEL is none of CRITICAL, DEBUG, ERROR, INFO, WARNING: it is ignored",
    )


def test_a_variable_that_is_not_a_setting_is_named_with_the_one_that_was_meant() -> None:
    assert problems({"LLM_OBSERVER_ENDPIONT": "https://in.example", "LLM_OBSERVER_QQQQQQQQQQQQQQQQ": "1"}) == (
        "LLM_OBSERVER_ENDPIONT is not a setting: did you mean LLM_OBSERVER_ENDPOINT?",
        "LLM_OBSERVER_QQQQQQQQQQQQQQQQ is not a setting",
    )
    assert problems({"OTEL_SERVICE_NAME": "x", "PATH": "y"}) == ()


def test_an_argument_that_is_not_a_setting_is_named_with_the_one_that_was_meant() -> None:
    """A file of OpenTelemetry's may hold any, also what this package's own functions call their arguments."""
    assert Settings.resolve({}, stroe="off", environ="x", api_key="").problems == (
        "environ is not a setting",
        "stroe is not a setting: did you mean store?",
    )


def test_an_argument_of_several_values_is_not_used_and_named() -> None:
    settings = Settings.resolve({"LLM_OBSERVER_STORE": "off"}, store=["/a"], prices={"file": "/b"})
    assert (settings.store, settings.prices) == (None, None)
    assert settings.problems == ("store is not one value: it is not used", "prices is not one value: it is not used")


@pytest.mark.parametrize("word", ["on", True, "TRUE"])
def test_a_store_that_is_just_on_is_the_default_one(word: object) -> None:
    """YAML reads `on` as true."""
    assert Settings.resolve({}, store=word).store == Settings.resolve({}).store


@pytest.mark.parametrize("name", ["store", "prices"])
def test_a_path_in_the_home_of_a_user_that_there_is_not_is_a_problem_and_no_error(name: str) -> None:
    settings = Settings.resolve({VARIABLES[name]: "~nobody-of-this-name/x"})
    assert getattr(settings, name) is None
    assert settings.problems == (f"{VARIABLES[name]} is in the home of a user that is not known: it is not used",)


def test_a_path_in_the_users_home_is_found(tmp_path: Path) -> None:
    assert Settings.resolve({"LLM_OBSERVER_STORE": "~/calls.db"}).store == tmp_path / "calls.db"


def test_no_secret_is_in_the_repr() -> None:
    """Neither the keys, nor what an endpoint may hold besides its host."""
    settings = Settings.resolve(
        {}, api_key="sk-secret", hash_key="hash-secret", endpoint="https://in.example:8443/v1?token=query"
    )
    assert settings.endpoint == "https://in.example:8443/v1?token=query"
    for secret in ("sk-secret", "hash-secret", "user", "password", "query", "/v1"):
        assert secret not in repr(settings)


def test_no_secret_is_in_a_problem() -> None:
    environ = SENDS | {"LLM_OBSERVER_ENDPOINT": "http://user:password@in.example/?token=query"}
    (line,) = problems(environ)
    assert not any(word in line for word in ("user", "password", "in.example", "query"))


# Characters that an environment can hold: undecodable bytes come as lone low surrogates.
_text = st.text(st.characters(exclude_characters="\0=", exclude_categories=()), max_size=40)
_values = st.one_of(
    _text,
    st.sampled_from(["true", "false", "off", "debug", "https://x/", "http://x/", "https://[", "~", "~x/y", "//", "%"]),
)
_names = st.one_of(st.sampled_from(sorted(VARIABLES.values())), _text.map("LLM_OBSERVER_".__add__), _text)


@given(
    environ=st.dictionaries(_names, _values, max_size=12),
    arguments=st.dictionaries(
        st.sampled_from(sorted(VARIABLES)), st.one_of(st.none(), st.booleans(), _values), max_size=12
    ),
)
def test_it_never_raises_whatever_the_environment_and_the_arguments(
    environ: dict[str, str], arguments: dict[str, Any]
) -> None:
    settings = Settings.resolve(environ, **arguments)
    assert all(line.isprintable() and line.isascii() for line in settings.problems)
    if environ.get("LLM_OBSERVER_ENABLED", "").strip().lower() == "false":
        assert not settings.sends


def test_the_state_directory_is_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    assert os.fspath(state_dir()).startswith(str(tmp_path))
    assert state_dir().name == "llm-observer"
