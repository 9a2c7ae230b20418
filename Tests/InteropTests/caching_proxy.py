"""A proxy that forwards unary calls and keeps answers for as long as their cache-control allows."""

import contextlib
import re
import time
from concurrent import futures

import grpc


class CachingProxy(grpc.GenericRpcHandler):
    def __init__(self, upstream: grpc.Channel):
        self.upstream = upstream
        self.kept: dict[tuple[str, bytes], tuple[float, bytes]] = {}

    def service(self, details):
        forward = self.upstream.unary_unary(details.method)

        def answer(request: bytes, context) -> bytes:
            expires, response = self.kept.get((details.method, request), (0, b""))
            if time.monotonic() < expires:
                return response
            response, call = forward.with_call(request, timeout=30)
            allowed = re.search(r"max-age=(\d+)", dict(call.initial_metadata()).get("cache-control", ""))
            if allowed:
                self.kept[details.method, request] = time.monotonic() + int(allowed[1]), response
            return response

        return grpc.unary_unary_rpc_method_handler(answer)


@contextlib.contextmanager
def caching_proxy(upstream: grpc.Channel):
    """Listens on a port that the system chose, which it yields."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), handlers=(CachingProxy(upstream),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()
