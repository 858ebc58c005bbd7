"""What an exception says of a call: `error.type`, a short code and never a message; the response behind it."""

from typing import Any

from llm_observer.adapters.reading import code, field

__all__ = ["error_type", "response_of"]

_FIRST_ERROR_STATUS = 400
_MAKES_THE_ANSWER = "_process_response"
_SDKS = frozenset({"openai", "anthropic"})


def error_type(error: BaseException) -> str | None:
    """The provider's code for what went wrong, else the status, else the exception's class with its module.

    `None` for what is no `Exception`: a cancellation is the application's decision.
    """
    if not isinstance(error, Exception):
        return None
    body: object = getattr(error, "body", None)
    # The OpenAI SDK hands on the error itself, Anthropic's its envelope.
    inner: object = field(body, "error")
    holder = body if inner is None else inner
    # The first releases of the OpenAI SDK have the fields on the exception and no body.
    holders = (holder, error) if type(error).__module__.partition(".")[0] in _SDKS else (holder,)
    for each in holders:
        found = code(each, "code") or code(each, "type")
        if found is not None:
            return found
    # An error within a stream has the status of the response that opened it, which is none.
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status >= _FIRST_ERROR_STATUS:
        return str(status)
    kind = type(error)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def response_of(error: BaseException) -> Any:
    """The response that the SDK had received, whole, and was making the application's answer of when `error` came.

    As when an answer does not fit the application's schema: nothing but the SDK's frame has the response then.
    """
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_name == _MAKES_THE_ANSWER:
            response: Any = frame.f_locals.get("response")
            return response if getattr(response, "is_closed", False) else None
        traceback = traceback.tb_next
    return None
