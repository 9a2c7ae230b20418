"""Messages that come piece by piece, as a model writes them."""

import queue

import pytest
from client.people import PATIENCE
from client.refusals import invalid, refused
from google.protobuf.struct_pb2 import Struct
from heartguard.chat.v1 import drafts_service_pb2 as calls
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest, ListMessagesRequest

Step = calls.StreamMessageRequest


class Writer:
    """One call of StreamMessage: what is sent, and what has come back."""

    def __init__(self, door, person, session, client_id="m", **fields):
        self._steps: queue.Queue = queue.Queue()
        begun = Step.Beginning(session_id=session, client_id=client_id, **{"role": "ROLE_ASSISTANT"} | fields)
        self._steps.put(Step(beginning=begun))
        self._call = door.drafts.StreamMessage(
            iter(self._steps.get, None), metadata=person.metadata, timeout=PATIENCE
        )
        first = next(self._call)
        self.message = first.message if first.HasField("message") else None
        self.begins_at = first.kept

    def send(self, text: str, offset: int) -> None:
        self._steps.put(Step(piece=Step.Piece(offset=offset, text=text)))

    def end(self, length: int):
        self._steps.put(Step(ending=Step.Ending(length=length)))
        return self.rest()[-1].message

    def rest(self) -> list:
        self._steps.put(None)
        return list(self._call)

    def until_kept(self, count: int) -> None:
        while next(self._call).kept < count:
            pass

    def break_off(self) -> None:
        self._call.cancel()
        self._steps.put(None)


@pytest.fixture
def session(door, ada):
    return ada.calls(door.chat.CreateSession, CreateSessionRequest()).session.id


def drafts(door, person, session):
    return list(person.calls(door.drafts.ListDrafts, calls.ListDraftsRequest(session_id=session)).drafts)


def discard(door, person, session, client_id="m"):
    person.calls(door.drafts.DiscardDraft, calls.DiscardDraftRequest(session_id=session, client_id=client_id))


def said(door, person, session):
    return list(person.calls(door.chat.ListMessages, ListMessagesRequest(session_id=session)).messages)


def test_a_message_is_written_broken_off_and_gone_on_with(door, ada, session):
    words = [f"wörd{number} " for number in range(200)]
    notes = Struct()
    notes.update({"model": "m"})
    first = Writer(door, ada, session, metadata=notes)
    assert first.begins_at == 0 and first.message is None
    offset = 0
    for word in words[:100]:
        first.send(word, offset)
        offset += len(word.encode())
    first.until_kept(offset)
    first.break_off()
    (kept,) = drafts(door, ada, session)
    assert kept.content == "".join(words[:100]) and kept.role and kept.metadata == notes
    assert said(door, ada, session) == []

    second = Writer(door, ada, session)
    assert second.begins_at == offset
    second.send(words[99], offset - len(words[99].encode()))
    for word in words[100:]:
        second.send(word, offset)
        offset += len(word.encode())
    message = second.end(offset)
    assert message.content == "".join(words) and message.client_id == "m" and message.metadata == notes
    assert said(door, ada, session) == [message] and drafts(door, ada, session) == []
    # the answer was lost: the call again finds the message
    assert Writer(door, ada, session).message == message


def test_two_writers_of_one_message(door, ada, session):
    one, two = Writer(door, ada, session), Writer(door, ada, session)
    one.send("one", 0)
    one.until_kept(3)
    two.send("two", 0)
    with refused("ABORTED"):
        two.rest()
    assert one.end(3).content == "one"
    assert [message.content for message in said(door, ada, session)] == ["one"]


def test_what_does_not_fit_is_refused_and_what_was_kept_stays(door, ada, session):
    writer = Writer(door, ada, session)
    writer.send("kept", 0)
    writer.until_kept(4)
    writer.send("x", 5)
    with refused("OUT_OF_RANGE"):
        writer.rest()
    writer = Writer(door, ada, session)
    assert writer.begins_at == 4
    with refused("OUT_OF_RANGE"):
        writer.end(5)
    for step, field in (
        (Step(piece=Step.Piece(offset=4, text="")), "piece.text"),
        (Step(piece=Step.Piece(offset=2**62, text="x")), "piece"),
        (Step(piece=Step.Piece(offset=-1, text="x")), "piece"),
        (Step(), "step"),
        (Step(ending=Step.Ending()), "ending.length"),
    ):
        writer = Writer(door, ada, session)
        writer._steps.put(step)
        with invalid(field):
            writer.rest()
    assert Writer(door, ada, session).end(4).content == "kept"


def test_the_first_step_begins(door, ada, session):
    for steps, fields in (
        ([], ["beginning"]),
        ([Step(piece=Step.Piece(text="x"))], ["beginning"]),
        ([Step(beginning=Step.Beginning())], ["beginning.session_id", "beginning.client_id", "beginning.role"]),
    ):
        with invalid(*fields):
            list(door.drafts.StreamMessage(iter(steps), metadata=ada.metadata, timeout=PATIENCE))


def test_a_draft_is_its_persons_and_goes_when_it_is_discarded(door, ada, bob, session):
    writer = Writer(door, ada, session)
    writer.send("text", 0)
    writer.rest()
    for attempt in (lambda: drafts(door, bob, session), lambda: Writer(door, bob, session)):
        with refused("NOT_FOUND"):
            attempt()
    discard(door, bob, session)
    assert [draft.content for draft in drafts(door, ada, session)] == ["text"]
    discard(door, ada, session)
    discard(door, ada, session)
    assert drafts(door, ada, session) == []


def test_at_the_json_door(json_door, direct, ada):
    session = ada.calls(direct.chat.CreateSession, CreateSessionRequest()).session.id
    writer = Writer(direct, ada, session, client_id="j")
    writer.send("text", 0)
    writer.rest()
    path = f"/v1/chats/{session}/drafts"
    (draft,) = json_door.answers(calls.ListDraftsResponse, "GET", path, person=ada).drafts
    assert draft == drafts(direct, ada, session)[0]
    json_door.answers(calls.DiscardDraftResponse, "DELETE", f"{path}/j", person=ada)
    assert drafts(direct, ada, session) == []
