"""What both sides of a queue are set to: arq's dictionaries in JSON, exceptions by their class and text."""

import asyncio
import builtins
import json


class JobFailed(Exception):
    """An error of another language's worker, or of a class that is not here."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def _default(value):
    if isinstance(value, BaseException):
        return {"__error__": {"type": type(value).__name__, "message": str(value)}}
    raise TypeError(f"{type(value).__name__} is not JSON")


def _hook(value):
    error = value.get("__error__") if len(value) == 1 else None
    if not isinstance(error, dict):
        return value
    if error["type"] == "CancelledError":
        return asyncio.CancelledError(error["message"])
    kind = getattr(builtins, error["type"], None)
    if isinstance(kind, type) and issubclass(kind, Exception) and kind not in (UnicodeDecodeError, UnicodeEncodeError, UnicodeTranslateError):
        return kind(error["message"])
    return JobFailed(error["type"], error["message"])


def dumps(job):
    return json.dumps(job, default=_default).encode()


def loads(data):
    return json.loads(data, object_hook=_hook)
