"""The messages of heartguard.chat.v1.CheckpointService, from the contract's descriptors.

They live in a pool of their own, so that a program may have other modules of the same contracts, made by whichever protoc.
"""

import importlib.resources

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_SERVICE = "heartguard.chat.v1.CheckpointService"


def _load() -> descriptor_pool.DescriptorPool:
    content = importlib.resources.files(__package__).joinpath("contract.binpb").read_bytes()
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(content).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


_pool = _load()
METHODS = {method.name: method for method in _pool.FindServiceByName(_SERVICE).methods}


def message(name: str):
    """The class of a message of the contract, such as "PutCheckpointRequest"."""
    return message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"heartguard.chat.v1.{name}"))


def response(method: str):
    return message_factory.GetMessageClass(METHODS[method].output_type)


def path(method: str) -> str:
    return f"/{_SERVICE}/{method}"


PutCheckpointRequest = message("PutCheckpointRequest")
PutWritesRequest = message("PutWritesRequest")
GetCheckpointRequest = message("GetCheckpointRequest")
ListCheckpointsRequest = message("ListCheckpointsRequest")
DeleteThreadRequest = message("DeleteThreadRequest")
CopyThreadRequest = message("CopyThreadRequest")
PruneThreadsRequest = message("PruneThreadsRequest")
DeleteRunsRequest = message("DeleteRunsRequest")

PRUNE_STRATEGIES = {
    "keep_latest": _pool.FindEnumTypeByName("heartguard.chat.v1.PruneStrategy")
    .values_by_name["PRUNE_STRATEGY_KEEP_LATEST"]
    .number,
    "delete": _pool.FindEnumTypeByName("heartguard.chat.v1.PruneStrategy")
    .values_by_name["PRUNE_STRATEGY_DELETE"]
    .number,
}
