"""`error.type` of an exception: a short code, never a message."""

from llm_observer.adapters.reading import code, field

__all__ = ["error_type"]

_FIRST_ERROR_STATUS = 400
_SDKS = frozenset({"openai", "anthropic"})


def error_type(error: BaseException) -> str | None:
    """The provider's code for what went wrong, else the status, else the exception's class.

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
    return type(error).__name__
