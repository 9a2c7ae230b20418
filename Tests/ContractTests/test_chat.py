"""Conversations and their messages."""

import random
import uuid

import pytest
from client.refusals import invalid, refused
from google.protobuf.struct_pb2 import Struct
from heartguard.chat.v1 import chat_pb2
from heartguard.chat.v1.chat_service_pb2 import (
    AppendMessagesRequest,
    CreateSessionRequest,
    GetSessionRequest,
    ListMessagesRequest,
    ListSessionsRequest,
    NewMessage,
)


def message(client_id, content="How is my pulse?", role="ROLE_USER", **fields):
    return NewMessage(client_id=str(client_id), content=content, role=role, **fields)


def append(door, person, session, *messages):
    request = AppendMessagesRequest(session_id=session, messages=messages)
    return person.calls(door.chat.AppendMessages, request)


def read(door, person, session):
    request = ListMessagesRequest(session_id=session, page_size=500)
    return list(person.calls(door.chat.ListMessages, request).messages)


def create(door, person, **fields):
    return person.calls(door.chat.CreateSession, CreateSessionRequest(**fields))


def find(door, person, session):
    return person.calls(door.chat.GetSession, GetSessionRequest(session_id=session)).session


@pytest.fixture
def session(door, ada):
    return create(door, ada, title="About my pulse").session.id


def test_a_conversation_is_opened(door, ada):
    answer = create(door, ada, title="About my pulse")
    assert answer.created
    assert answer.session.title == "About my pulse"
    assert answer.session.message_count == 0
    assert uuid.UUID(answer.session.id).version == 7
    assert find(door, ada, answer.session.id) == answer.session


def test_without_an_id_of_the_apps_every_call_opens_one(door, ada):
    assert create(door, ada).session.id != create(door, ada).session.id


def test_with_an_id_of_the_apps_it_is_opened_once(door, ada, bob):
    first = create(door, ada, title="First", client_id="c-1")
    again = create(door, ada, title="Second", client_id="c-1")
    assert not again.created
    assert again.session == first.session
    assert create(door, bob, client_id="c-1").created


def test_messages_are_kept_in_their_order_without_gaps(door, ada, session):
    first = append(door, ada, session, message("a", "Hello"), message("b", "Hello to you", role="ROLE_ASSISTANT"))
    second = append(door, ada, session, message("c", "How is my pulse?"))
    assert [kept.sequence for kept in first.messages] == [1, 2]
    assert [kept.sequence for kept in second.messages] == [3]
    assert read(door, ada, session) == [*first.messages, *second.messages]
    assert [kept.role for kept in first.messages] == [chat_pb2.ROLE_USER, chat_pb2.ROLE_ASSISTANT]

    now = find(door, ada, session)
    assert now.message_count == 3
    assert now.updated_at.ToNanoseconds() > now.created_at.ToNanoseconds()


def test_a_message_keeps_what_the_app_notes_with_it(door, ada, session):
    notes = Struct()
    notes.update({"quotes": ["I20.0", "GO:0086001"], "score": 0.75, "seen": True, "nothing": None, "deep": {"a": {}}})
    text = "Ünïcode: 心臓 ❤️ and a line\nbreak\ttoo"
    append(door, ada, session, message("a", text, metadata=notes))
    (kept,) = read(door, ada, session)
    assert kept.content == text
    assert kept.metadata == notes


def test_the_same_messages_three_times_in_any_order_are_kept_once(door, ada, session):
    batch = [message(n, f"Message {n}") for n in range(40)]
    first = append(door, ada, session, *batch)
    assert first.duplicate_count == 0
    kept = {answer.client_id: answer for answer in first.messages}

    for seed in (1, 2):
        random.Random(seed).shuffle(batch)
        again = append(door, ada, session, *batch)
        assert again.duplicate_count == 40
        assert list(again.messages) == [kept[message.client_id] for message in batch]
    assert find(door, ada, session).message_count == 40


def test_a_message_stays_as_it_was_kept_first(door, ada, session):
    append(door, ada, session, message("a", "First"))
    again = append(door, ada, session, message("a", "Second"), message("b", "New"))
    assert [kept.content for kept in again.messages] == ["First", "New"]
    assert again.duplicate_count == 1


def test_one_session_keeps_an_id_that_another_has_too(door, ada, session):
    other = create(door, ada).session.id
    append(door, ada, session, message("a", "Here"))
    assert append(door, ada, other, message("a", "There")).duplicate_count == 0


def test_the_conversation_used_last_comes_first(door, ada):
    one, two, three = (create(door, ada, title=title).session.id for title in ("one", "two", "three"))
    append(door, ada, one, message("a"))
    sessions = ada.calls(door.chat.ListSessions, ListSessionsRequest()).sessions
    assert [session.id for session in sessions] == [one, three, two]


def test_what_is_wrong_with_messages_is_named_and_keeps_all_out(door, ada, session):
    good = message("a")
    with invalid("messages[1].client_id", "messages[2].role", "messages[3].content", "messages[4].client_id"):
        append(
            door,
            ada,
            session,
            good,
            message(""),
            message("c", role="ROLE_UNSPECIFIED"),
            message("d", content=""),
            message("a"),
        )
    assert read(door, ada, session) == []


@pytest.mark.parametrize("count", [0, 101])
def test_1_to_100_messages_are_added_at_once(door, ada, session, count):
    with invalid("messages"):
        append(door, ada, session, *(message(n) for n in range(count)))


def test_a_message_has_at_most_100000_characters(door, ada, session):
    append(door, ada, session, message("longest", "❤" * 100_000))
    with invalid("messages[0].content"):
        append(door, ada, session, message("longer", "x" * 100_001))
    assert len(read(door, ada, session)) == 1


def test_what_is_wrong_with_a_conversation_is_named(door, reader):
    with invalid("title", "client_id"):
        create(door, reader, title="x" * 201, client_id="")
    with invalid("session_id"):
        find(door, reader, "the one from yesterday")
    with invalid("session_id", "page_size"):
        reader.calls(door.chat.ListMessages, ListMessagesRequest(session_id="", page_size=-1))
    with invalid("page_size"):
        reader.calls(door.chat.ListSessions, ListSessionsRequest(page_size=-1))


def test_somebody_elses_conversation_is_not_found(door, ada, bob, session):
    append(door, ada, session, message("a"))
    nobodys = str(uuid.uuid4())
    for attempt in (
        lambda id: find(door, bob, id),
        lambda id: read(door, bob, id),
        lambda id: append(door, bob, id, message("b")),
    ):
        with refused("NOT_FOUND") as theirs:
            attempt(session)
        with refused("NOT_FOUND") as missing:
            attempt(nobodys)
        assert theirs.message == missing.message
    assert list(bob.calls(door.chat.ListSessions, ListSessionsRequest()).sessions) == []
    assert len(read(door, ada, session)) == 1
