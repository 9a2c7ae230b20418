from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import grpc
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)
from langgraph.checkpoint.serde.base import SerializerProtocol

from heartguard_langgraph import _contract, _messages
from heartguard_langgraph._connection import Connection

_AT_ONCE = 100


class HeartGuardSaver(BaseCheckpointSaver[str]):
    """Keeps the checkpoints of LangGraph's graphs in HeartGuard, as those of the person whose token it shows.

    Threads of other people are not there: they are read as missing, and a thread of the same name is another one.
    HeartGuard never decodes what is kept; what this program decodes is its serialiser's affair (see the README).

    Both kinds of methods may be used from any thread, and the asynchronous ones from any event loop.

    Args:
        target: The Gateway's gRPC address, such as "localhost:8443".
        token: An access token, or a function that gives one; it is called before each call, so it may refresh it.
        root_certificates: The authorities to trust, in PEM; without them those of the system.
        insecure: Without TLS, for a service on the same machine.
        timeout: Seconds that a call may take, with its repetitions.
        serde: Another serialiser than LangGraph's usual one.
    """

    def __init__(
        self,
        target: str,
        token: str | Callable[[], str],
        *,
        root_certificates: bytes | None = None,
        insecure: bool = False,
        timeout: float = 30.0,
        serde: SerializerProtocol | None = None,
    ):
        super().__init__(serde=serde)
        credentials = None if insecure else grpc.ssl_channel_credentials(root_certificates)
        self._connection = Connection(target, token, credentials=credentials, timeout=timeout)

    # Connections

    def close(self) -> None:
        """Ends what the synchronous methods were connected by."""
        self._connection.close()

    async def aclose(self) -> None:
        """Ends what the asynchronous methods were connected by in this event loop."""
        await self._connection.aclose()

    def __enter__(self) -> HeartGuardSaver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> HeartGuardSaver:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # Versions

    def get_next_version(self, current: str | int | float | None, channel: None) -> str:
        """Grows, and differs between two branches of one thread."""
        number = 0 if current is None else int(str(current).split(".")[0])
        return f"{number + 1:010}.{secrets.token_hex(6)}"

    # Keeping

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        new = set(new_versions)
        request = _messages.put_checkpoint(self.serde, config, checkpoint, metadata, new)
        # More are missing the next time if the parent is deleted meanwhile.
        while missing := self._connection.call("PutCheckpoint", request).missing_channels:
            new.update(missing)
            request = _messages.put_checkpoint(self.serde, config, checkpoint, metadata, new)
        return _messages.config_of(request.thread_id, request.checkpoint_namespace, checkpoint["id"])

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        new = set(new_versions)
        request = _messages.put_checkpoint(self.serde, config, checkpoint, metadata, new)
        # More are missing the next time if the parent is deleted meanwhile.
        while missing := (await self._connection.acall("PutCheckpoint", request)).missing_channels:
            new.update(missing)
            request = _messages.put_checkpoint(self.serde, config, checkpoint, metadata, new)
        return _messages.config_of(request.thread_id, request.checkpoint_namespace, checkpoint["id"])

    def put_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        for request in _messages.put_writes(self.serde, config, writes, task_id, task_path):
            self._connection.call("PutWrites", request)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        for request in _messages.put_writes(self.serde, config, writes, task_id, task_path):
            await self._connection.acall("PutWrites", request)

    # Reading

    def get_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        if (request := _messages.get_checkpoint(config)) is None:
            return None
        try:
            return _messages.tuple_of(self.serde, self._connection.call("GetCheckpoint", request).checkpoint)
        except grpc.RpcError as error:
            _let_pass(error, grpc.StatusCode.NOT_FOUND)
            return None

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        if (request := _messages.get_checkpoint(config)) is None:
            return None
        try:
            answer = await self._connection.acall("GetCheckpoint", request)
        except grpc.RpcError as error:
            _let_pass(error, grpc.StatusCode.NOT_FOUND)
            return None
        return _messages.tuple_of(self.serde, answer.checkpoint)

    def list(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[CheckpointTuple]:
        request = _messages.list_checkpoints(config, filter, before)
        left = limit
        while request is not None and (left is None or left > 0):
            request.page_size = min(_AT_ONCE, left) if left is not None else 0
            try:
                page = self._connection.call("ListCheckpoints", request)
            except grpc.RpcError as error:
                _let_pass(error, grpc.StatusCode.NOT_FOUND)
                return
            for kept in page.checkpoints:
                yield _messages.tuple_of(self.serde, kept)
            left, request = _rest(left, request, page)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        request = _messages.list_checkpoints(config, filter, before)
        left = limit
        while request is not None and (left is None or left > 0):
            request.page_size = min(_AT_ONCE, left) if left is not None else 0
            try:
                page = await self._connection.acall("ListCheckpoints", request)
            except grpc.RpcError as error:
                _let_pass(error, grpc.StatusCode.NOT_FOUND)
                return
            for kept in page.checkpoints:
                yield _messages.tuple_of(self.serde, kept)
            left, request = _rest(left, request, page)

    # Deleting and copying

    def delete_thread(self, thread_id: str) -> None:
        try:
            self._connection.call("DeleteThread", _contract.DeleteThreadRequest(thread_id=str(thread_id)))
        except grpc.RpcError as error:
            _let_pass(error, grpc.StatusCode.NOT_FOUND)

    async def adelete_thread(self, thread_id: str) -> None:
        try:
            await self._connection.acall("DeleteThread", _contract.DeleteThreadRequest(thread_id=str(thread_id)))
        except grpc.RpcError as error:
            _let_pass(error, grpc.StatusCode.NOT_FOUND)

    def delete_for_runs(self, run_ids: Sequence[str]) -> None:
        for some in _parts(run_ids):
            self._connection.call("DeleteRuns", _contract.DeleteRunsRequest(run_ids=some))

    async def adelete_for_runs(self, run_ids: Sequence[str]) -> None:
        for some in _parts(run_ids):
            await self._connection.acall("DeleteRuns", _contract.DeleteRunsRequest(run_ids=some))

    def copy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """Raises grpc.RpcError: NOT_FOUND without a source, ALREADY_EXISTS where the target is in use."""
        self._connection.call("CopyThread", _copy(source_thread_id, target_thread_id))

    async def acopy_thread(self, source_thread_id: str, target_thread_id: str) -> None:
        """As `copy_thread`."""
        await self._connection.acall("CopyThread", _copy(source_thread_id, target_thread_id))

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """ "keep_latest" keeps, besides the newest checkpoint of each namespace, those that its DeltaChannels are rebuilt from."""
        for request in _prunings(thread_ids, strategy):
            self._connection.call("PruneThreads", request)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """As `prune`."""
        for request in _prunings(thread_ids, strategy):
            await self._connection.acall("PruneThreads", request)


def _let_pass(error: grpc.RpcError, code: grpc.StatusCode) -> None:
    if error.code() is not code:
        raise error


def _rest(left: int | None, request, page):
    """What is left of a list behind a page: how many, and the request for the next page if there is one."""
    if left is not None:
        left -= len(page.checkpoints)
    request.page_token = page.next_page_token
    return left, request if page.next_page_token else None


def _parts(items: Sequence[str]) -> Iterator[list[str]]:
    items = [str(item) for item in items]
    for start in range(0, len(items), _AT_ONCE):
        yield items[start : start + _AT_ONCE]


def _copy(source: str, target: str):
    return _contract.CopyThreadRequest(source_thread_id=str(source), target_thread_id=str(target))


def _prunings(thread_ids: Sequence[str], strategy: str) -> Iterator:
    if strategy not in _contract.PRUNE_STRATEGIES:
        raise ValueError(f"strategy is {strategy!r}; it must be one of {', '.join(_contract.PRUNE_STRATEGIES)}")
    for some in _parts(thread_ids):
        yield _contract.PruneThreadsRequest(thread_ids=some, strategy=_contract.PRUNE_STRATEGIES[strategy])
