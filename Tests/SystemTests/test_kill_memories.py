"""kill -9 while Vectors has not yet forgotten what Chat has: it forgets it all the same, and nothing else."""

import uuid

import grpc
import pytest
from heartguard.chat.v1.memories_service_pb2 import ForgetMemoriesRequest, RememberRequest
from heartguard.vectors.v1 import memories_service_pb2 as vectors
from heartguard.vectors.v1.memories_pb2 import NewMemory
from processes import kill, nobody_restarting, pid_of
from waiting import until

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
EMBEDDING = [1.0] * 384


@pytest.mark.parametrize("victim", ("chat", "postgres", "redis_durable"))
def test_what_chat_has_forgotten_vectors_forgets(cluster, direct, ada, victim):
    ids = []
    for number in range(3):
        request = RememberRequest(
            client_id=str(uuid.uuid4()),
            category="MEMORY_CATEGORY_OTHER",
            content=f"Memory {number}",
            embedding=EMBEDDING,
            model_id=MODEL,
        )
        ids.append(ada.calls(direct.patient_memories.Remember, request).memory.id)
    notes = [NewMemory(id=id, content="note", embedding=EMBEDDING, memory_type="note") for id in ids]
    ada.calls(direct.memories.UpsertMemories, vectors.UpsertMemoriesRequest(model_id=MODEL, memories=notes))

    with nobody_restarting(cluster):
        killed = {"vectors": kill(cluster, "vectors")}
        forgotten = ada.calls(direct.patient_memories.ForgetMemories, ForgetMemoriesRequest(memory_ids=ids[:2]))
        assert forgotten.forgotten_count == 2
        killed[victim] = kill(cluster, victim)
    for name, before in killed.items():
        until(lambda name=name, before=before: pid_of(cluster, name) not in (None, before), f"{name} is started again")

    def is_forgotten():
        try:
            page = ada.calls(direct.memories.ListMemories, vectors.ListMemoriesRequest())
        except grpc.RpcError:
            return False
        return [memory.id for memory in page.memories] == [ids[2]]

    until(is_forgotten, "Vectors forgets it", every=0.2, within=120)
