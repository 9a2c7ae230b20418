"""Waiting for what will be true in a while."""

import threading
import time

_never = threading.Event()


def until(holds, what: str, *, every: float = 0.02, within: float = 60.0) -> None:
    """Asks again and again. The limit is generous: it says that something is broken, not that it is slow."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {within:.0f} s"
        _never.wait(every)
