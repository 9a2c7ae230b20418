"""Between LangGraph's values and the contract's messages; nothing here speaks to anybody."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)

from heartguard_langgraph import _contract

# What the contract tells beside the checkpoint's content.
_TOLD_APART = ("id", "channel_values", "channel_versions")
# What a call may have of writes, and of bytes beside what comes with them.
_MAX_WRITES = 256
_MAX_BYTES = 3 << 20


def namespace(config: RunnableConfig) -> str:
    return config["configurable"].get("checkpoint_ns") or ""


def is_id(text: str | None) -> bool:
    """Whether it can be the id of a checkpoint that is kept."""
    try:
        uuid.UUID(text)
    except (TypeError, ValueError, AttributeError):
        return False
    return True


def config_of(thread: str, checkpoint_ns: str, checkpoint_id: str) -> RunnableConfig:
    return {
        "configurable": {"thread_id": thread, "checkpoint_ns": checkpoint_ns, "checkpoint_id": checkpoint_id}
    }


def put_checkpoint(
    serde,
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    new: Iterable[str],
):
    """The request that keeps a checkpoint and brings along the values of these channels."""
    request = _contract.PutCheckpointRequest(
        thread_id=str(config["configurable"]["thread_id"]),
        checkpoint_namespace=namespace(config),
        checkpoint_id=checkpoint["id"],
        parent_checkpoint_id=config["configurable"].get("checkpoint_id") or "",
        metadata=_json(get_serializable_checkpoint_metadata(config, metadata), "metadata"),
    )
    content = {key: value for key, value in checkpoint.items() if key not in _TOLD_APART}
    request.content.type, request.content.data = serde.dumps_typed(content)
    new = set(new)
    for name, version in checkpoint["channel_versions"].items():
        channel = request.channels.add(name=name, version=json.dumps(version))
        if name not in new:
            continue
        if name in checkpoint["channel_values"]:
            channel.value.type, channel.value.data = serde.dumps_typed(checkpoint["channel_values"][name])
        else:
            channel.is_empty = True
    return request


def put_writes(
    serde, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str
) -> Iterator:
    """The requests that keep a task's writes: one, unless there are more of them than a call may have."""
    request, size = None, 0
    for index, (channel, value) in enumerate(writes):
        type, data = serde.dumps_typed(value)
        if request is None or len(request.writes) == _MAX_WRITES or size + len(data) > _MAX_BYTES:
            if request is not None:
                yield request
            request, size = (
                _contract.PutWritesRequest(
                    thread_id=str(config["configurable"]["thread_id"]),
                    checkpoint_namespace=namespace(config),
                    checkpoint_id=config["configurable"]["checkpoint_id"],
                ),
                0,
            )
        write = request.writes.add(
            task_id=task_id, task_path=task_path, index=WRITES_IDX_MAP.get(channel, index), channel=channel
        )
        write.value.type, write.value.data = type, data
        size += len(data)
    if request is not None:
        yield request


def get_checkpoint(config: RunnableConfig):
    """None if there can be no such checkpoint."""
    id = get_checkpoint_id(config)
    if id and not is_id(id):
        return None
    return _contract.GetCheckpointRequest(
        thread_id=str(config["configurable"]["thread_id"]),
        checkpoint_namespace=namespace(config),
        checkpoint_id=id or "",
    )


def list_checkpoints(
    config: RunnableConfig | None,
    filter: dict[str, Any] | None,
    before: RunnableConfig | None,
):
    """None if no checkpoint can be meant."""
    request = _contract.ListCheckpointsRequest()
    if config is not None:
        request.thread_id = str(config["configurable"]["thread_id"])
        if (checkpoint_ns := config["configurable"].get("checkpoint_ns")) is not None:
            request.checkpoint_namespace = checkpoint_ns
        if id := get_checkpoint_id(config):
            if not is_id(id):
                return None
            request.checkpoint_id = id
    if before is not None and (id := get_checkpoint_id(before)):
        if not is_id(id):
            return None
        request.before_checkpoint_id = id
    if filter:
        request.metadata_filter = _json(filter, "filter")
    return request


def tuple_of(serde, kept) -> CheckpointTuple:
    def loads(value):
        return serde.loads_typed((value.type, value.data))

    versions: ChannelVersions = {channel.name: json.loads(channel.version) for channel in kept.channels}
    checkpoint = {
        **loads(kept.content),
        "id": kept.checkpoint_id,
        "channel_versions": versions,
        "channel_values": {
            channel.name: loads(channel.value) for channel in kept.channels if channel.HasField("value")
        },
    }
    parent = kept.parent_checkpoint_id
    return CheckpointTuple(
        config=config_of(kept.thread_id, kept.checkpoint_namespace, kept.checkpoint_id),
        checkpoint=checkpoint,
        metadata=json.loads(kept.metadata),
        parent_config=config_of(kept.thread_id, kept.checkpoint_namespace, parent) if parent else None,
        pending_writes=[(write.task_id, write.channel, loads(write.value)) for write in kept.pending_writes],
    )


def _json(value: Any, what: str) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise type(error)(f"HeartGuard keeps {what} that JSON can express: {error}") from None
