"""Jobs that a person has asked for, until they have ended."""

import threading
import time

import grpc

_never = threading.Event()
_away = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def ended(get, running, what: str, *, within: float = 120.0):
    """What `get` returns once its state is none of those in `running`, whoever is away meanwhile."""
    end = time.monotonic() + within
    while True:
        try:
            job = get()
            if job.state not in running:
                return job
        except grpc.RpcError as error:
            if error.code() not in _away:
                raise
        assert time.monotonic() < end, f"{what} has not ended within {within:.0f} s"
        _never.wait(0.05)
