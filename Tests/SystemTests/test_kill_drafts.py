"""kill -9 of Chat or of Postgres while messages come piece by piece: each is one message in the end, whole."""

import queue

import grpc
import pytest
from client.people import PATIENCE
from heartguard.chat.v1 import drafts_service_pb2 as calls
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest, ListMessagesRequest
from processes import kill, pid_of
from waiting import until

Step = calls.StreamMessageRequest
WORDS = [f"word{number} " for number in range(300)]


def write(door, person, session, client_id, disturb):
    """Goes on with a message until it is one; answers how often the call broke off."""
    text = "".join(WORDS)
    broken = 0
    while True:
        steps: queue.Queue = queue.Queue()
        steps.put(Step(beginning=Step.Beginning(session_id=session, client_id=client_id, role="ROLE_ASSISTANT")))
        call = door.drafts.StreamMessage(iter(steps.get, None), metadata=person.metadata, timeout=PATIENCE)
        try:
            first = next(call)
            if first.HasField("message"):
                return broken, first.message
            offset = first.kept
            while offset < len(text):
                end = text.index(" ", offset) + 1
                steps.put(Step(piece=Step.Piece(offset=offset, text=text[offset:end])))
                offset = end
                disturb(offset)
            steps.put(Step(ending=Step.Ending(length=len(text))))
            steps.put(None)
            return broken, list(call)[-1].message
        except grpc.RpcError as error:
            assert error.code().name in ("UNAVAILABLE", "UNKNOWN", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED"), error
            steps.put(None)
            broken += 1


@pytest.mark.parametrize("victim", ["chat", "postgres"])
@pytest.mark.parametrize("through_gateway", [False, True])
def test_a_message_that_was_broken_off_is_one_message(cluster, direct, front, ada, victim, through_gateway):
    door = front if through_gateway else direct
    session = ada.calls(direct.chat.CreateSession, CreateSessionRequest()).session.id
    killed = []

    def disturb(offset):
        # once in the middle of each message
        if offset > len("".join(WORDS)) // 2 and not killed:
            killed.append(kill(cluster, victim))

    for number in range(3):
        killed.clear()
        _, message = write(door, ada, session, str(number), disturb)
        assert message.content == "".join(WORDS)
        until(lambda: pid_of(cluster, victim) not in (None, killed[0]), f"{victim} is started again")
    found = ada.calls(direct.chat.ListMessages, ListMessagesRequest(session_id=session)).messages
    assert [message.client_id for message in found] == ["0", "1", "2"]
    assert {message.content for message in found} == {"".join(WORDS)}
    assert not ada.calls(direct.drafts.ListDrafts, calls.ListDraftsRequest(session_id=session)).drafts
