"""One channel to the Gateway for threads and one for each event loop, made when they are first needed."""

from __future__ import annotations

import asyncio
import json
import threading
import weakref
from collections.abc import Callable

import grpc
import grpc.aio

from heartguard_langgraph import _contract

# A checkpoint's values may take 16 MiB, and a page some more.
_MAX_ANSWER_BYTES = 64 << 20

# What a repetition cannot harm is repeated by gRPC itself; copying a thread is not.
_SERVICE = "heartguard.chat.v1.CheckpointService"
_RETRIED = {
    "maxAttempts": 4,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE", "ABORTED"],
}
_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES),
    ("grpc.enable_retries", 1),
    (
        "grpc.service_config",
        json.dumps(
            {
                "methodConfig": [
                    {"name": [{"service": _SERVICE, "method": "CopyThread"}]},
                    {"name": [{"service": _SERVICE}], "retryPolicy": _RETRIED},
                ]
            }
        ),
    ),
]


class Connection:
    def __init__(
        self,
        target: str,
        token: str | Callable[[], str],
        *,
        credentials: grpc.ChannelCredentials | None,
        timeout: float,
    ):
        self._target = target
        self._token = token if callable(token) else lambda: token
        self._credentials = credentials
        self._timeout = timeout
        self._lock = threading.Lock()
        self._channel: grpc.Channel | None = None
        # A channel of grpc.aio belongs to the loop in which it was made.
        self._loops: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, grpc.aio.Channel] = (
            weakref.WeakKeyDictionary()
        )

    def call(self, method: str, request):
        with self._lock:
            if self._channel is None:
                self._channel = (
                    grpc.secure_channel(self._target, self._credentials, _OPTIONS)
                    if self._credentials
                    else grpc.insecure_channel(self._target, _OPTIONS)
                )
            channel = self._channel
        return self._stub(channel, method)(request, timeout=self._timeout, metadata=self._metadata())

    async def acall(self, method: str, request):
        loop = asyncio.get_running_loop()
        channel = self._loops.get(loop)
        if channel is None:
            channel = (
                grpc.aio.secure_channel(self._target, self._credentials, _OPTIONS)
                if self._credentials
                else grpc.aio.insecure_channel(self._target, _OPTIONS)
            )
            self._loops[loop] = channel
        return await self._stub(channel, method)(request, timeout=self._timeout, metadata=self._metadata())

    def close(self) -> None:
        with self._lock:
            channel, self._channel = self._channel, None
        if channel is not None:
            channel.close()

    async def aclose(self) -> None:
        channel = self._loops.pop(asyncio.get_running_loop(), None)
        if channel is not None:
            await channel.close()

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self._token()}"),)

    @staticmethod
    def _stub(channel, method: str):
        return channel.unary_unary(
            _contract.path(method),
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=_contract.response(method).FromString,
        )
