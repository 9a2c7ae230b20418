"""kill -9 of what keeps an agent's checkpoints, while the agent goes on: what was acknowledged is there, to the byte."""

import threading

import grpc
import pytest
from client.people import PATIENCE
from heartguard.chat.v1 import checkpoints_pb2 as wire
from heartguard.chat.v1 import checkpoints_service_pb2 as calls
from langgraph.checkpoint.base import uuid6
from processes import kill, pid_of
from waiting import until


class Agent:
    """Puts one checkpoint on top of the other, each with a longer list, and a write behind it; the same call again until it is acknowledged."""

    def __init__(self, checkpoints, person, thread):
        self.checkpoints, self.person, self.thread = checkpoints, person, thread
        self.acknowledged: list[tuple[str, bytes]] = []
        self.refusals: set[str] = set()
        self.wrong: list[Exception] = []
        self._stopped = threading.Event()
        self._running = threading.Thread(target=self._run)

    def __enter__(self):
        self._running.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._running.join()

    def _insist(self, method, request):
        while True:
            try:
                return method(request, metadata=self.person.metadata, timeout=PATIENCE)
            except grpc.RpcError as error:
                self.refusals.add(error.code().name)
                if error.code().name not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN", "CANCELLED"):
                    raise
                self._stopped.wait(0.05)

    def _run(self):
        try:
            value, parent = b"head", ""
            while not self._stopped.is_set():
                id, number = str(uuid6()), len(self.acknowledged)
                value += f"message {number} ".encode() * 40
                request = calls.PutCheckpointRequest(
                    thread_id=self.thread,
                    checkpoint_id=id,
                    parent_checkpoint_id=parent,
                    content=wire.TypedValue(type="x", data=str(number).encode()),
                )
                request.channels.add(name="messages", version=str(number), value=wire.TypedValue(type="x", data=value))
                assert not self._insist(self.checkpoints.PutCheckpoint, request).missing_channels
                written = calls.PutWritesRequest(thread_id=self.thread, checkpoint_id=id)
                written.writes.add(task_id="t", channel="messages", value=wire.TypedValue(type="x", data=value[-500:]))
                self._insist(self.checkpoints.PutWrites, written)
                self.acknowledged.append((id, value))
                parent = id
        except Exception as error:  # told by the test, whose thread this is not
            self.wrong.append(error)


@pytest.mark.parametrize("victim", ["chat", "redis_durable", "postgres"])
def test_what_an_agent_was_told_is_kept_is_there(cluster, direct, ada, victim):
    with Agent(direct.checkpoints, ada, f"killed {victim}") as agent:
        for _ in range(2):
            seen = len(agent.acknowledged)
            until(lambda: len(agent.acknowledged) > seen + 15 or agent.wrong, "the agent works")
            killed = kill(cluster, victim)
            until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")
            seen = len(agent.acknowledged)
            until(lambda: len(agent.acknowledged) > seen + 5 or agent.wrong, "the agent works again")
    assert agent.wrong == []
    if victim == "redis_durable":
        assert agent.refusals == set(), "checkpoints and sessions are in Postgres"
    elif victim == "chat":
        assert agent.refusals, "nobody noticed that the service itself was killed"
    # Of Postgres a caller may notice nothing: a call waits for its audit event and for a connection, and Postgres may be back by then.

    found = []
    token = ""
    while True:
        request = calls.ListCheckpointsRequest(thread_id=agent.thread, page_token=token)
        page = ada.calls(direct.checkpoints.ListCheckpoints, request)
        found += page.checkpoints
        if not (token := page.next_page_token):
            break
    read = {kept.checkpoint_id: kept for kept in found}
    for id, value in agent.acknowledged:
        assert [channel.value.data for channel in read[id].channels] == [value]
        assert [write.value.data for write in read[id].pending_writes] == [value[-500:]]
    # The last may have come between the call and its answer.
    assert len(found) - len(agent.acknowledged) in (0, 1)
