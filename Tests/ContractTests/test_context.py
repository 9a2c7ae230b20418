"""What a model is told: messages, memories and passages within a number of tokens."""

import math
import secrets
import uuid

import pytest
from client.doors import contexts_of
from client.refusals import invalid, refused
from heartguard.chat.v1.chat_service_pb2 import (
    AppendMessagesRequest,
    ArchiveSessionRequest,
    CreateSessionRequest,
    NewMessage,
)
from heartguard.chat.v1.memories_service_pb2 import RememberRequest
from heartguard.gateway.v1 import gateway_service_pb2
from heartguard.gateway.v1.context_service_pb2 import BuildContextRequest, BuildContextResponse
from heartguard.vectors.v1 import vectors_service_pb2 as vectors

MODEL = "two-d"
MEMORIES_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def contexts(cluster):
    return contexts_of(cluster)


@pytest.fixture(scope="module")
def knowledge(direct, operator):
    """A collection of five passages about aspirin and one about something else."""
    name = f"contract_{secrets.token_hex(6)}"
    made = vectors.CreateCollectionRequest(name=name, model_id=MODEL, dimension=2, metric="METRIC_COSINE")
    operator.calls(direct.vectors.CreateCollection, made)
    request = vectors.UpsertDocumentsRequest(collection=name, model_id=MODEL)
    for number in range(5):
        request.documents.add(id=f"aspirin {number}", content=f"Aspirin, passage {number}", embedding=[1, number])
    request.documents.add(id="other", content="Palpitations", embedding=[-1, 0])
    position = operator.calls(direct.vectors.UpsertDocuments, request).position
    return name, position


@pytest.fixture
def session(direct, ada):
    """A conversation of 30 messages, and three memories."""
    id = ada.calls(direct.chat.CreateSession, CreateSessionRequest()).session.id
    said = [NewMessage(client_id=f"{n}", role="ROLE_USER", content=f"Message {n}: ünïcode") for n in range(1, 31)]
    ada.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=id, messages=said))
    for number, importance in enumerate((0.2, 0.9, 0.5)):
        request = RememberRequest(
            client_id=f"{number}",
            category="MEMORY_CATEGORY_MEDICATION",
            content=f"Takes aspirin, memory {number}",
            importance=importance,
        )
        ada.calls(direct.patient_memories.Remember, request)
    return id


def build(contexts, person, session, query="Is aspirin good for me?", budget=10_000, **fields):
    request = BuildContextRequest(session_id=session, query=query, token_budget=budget, **fields)
    return person.calls(contexts.BuildContext, request)


def pieces(context):
    return [
        *((piece.token_count, piece.message.content) for piece in context.messages),
        *((piece.token_count, piece.found.memory.content) for piece in context.memories),
        *((piece.token_count, piece.match.content) for piece in context.passages),
    ]


def test_everything_where_there_is_room(contexts, ada, session, knowledge):
    name, position = knowledge
    context = build(contexts, ada, session, collection=name, model_id=MODEL, embedding=[1, 0])
    assert [piece.message.sequence for piece in context.messages] == list(range(11, 31))
    assert [piece.found.memory.importance for piece in context.memories] == [0.9, 0.5, 0.2]
    assert [piece.match.id for piece in context.passages] == [f"aspirin {number}" for number in range(5)]
    for piece in context.passages:
        assert (piece.collection, piece.model_id, piece.exact) == (name, MODEL, True) and piece.position >= position
        assert 0 < piece.match.document_position <= piece.position
    assert [(part.service, part.state) for part in context.parts] == [
        ("chat", gateway_service_pb2.PART_STATE_PRESENT),
        ("vectors", gateway_service_pb2.PART_STATE_PRESENT),
    ]
    for count, content in pieces(context):
        assert count == math.ceil(len(content.encode()) / 3) + 4
    assert context.token_count == sum(count for count, _ in pieces(context))
    # by words alone as well
    assert len(build(contexts, ada, session, collection=name, model_id=MODEL).passages) == 5


@pytest.mark.parametrize("budget", [16, 50, 100, 200, 400])
def test_never_more_than_the_budget_and_the_same_again(contexts, ada, session, knowledge, budget):
    context = build(contexts, ada, session, budget=budget, collection=knowledge[0], model_id=MODEL, embedding=[1, 0])
    assert context.token_count == sum(count for count, _ in pieces(context)) <= budget
    numbers = [piece.message.sequence for piece in context.messages]
    assert numbers == list(range(31 - len(numbers), 31))
    again = build(contexts, ada, session, budget=budget, collection=knowledge[0], model_id=MODEL, embedding=[1, 0])
    assert pieces(again) == pieces(context)
    if budget >= 200:
        assert context.messages and context.memories and context.passages


def test_a_conversation_that_was_put_away_is_told_when_it_goes_on(contexts, direct, ada, session):
    ada.calls(direct.chat.ArchiveSession, ArchiveSessionRequest(session_id=session))
    more = NewMessage(client_id="more", role="ROLE_USER", content="Am I still to take it?")
    ada.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=[more]))
    context = build(contexts, ada, session)
    assert [piece.message.sequence for piece in context.messages] == list(range(12, 32))


def test_an_answer_fits_into_a_message_whatever_the_budget(contexts, direct, ada):
    id = ada.calls(direct.chat.CreateSession, CreateSessionRequest()).session.id
    said = [NewMessage(client_id=f"{n}", role="ROLE_USER", content="😀" * 100_000) for n in range(7)]
    ada.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=id, messages=said))
    for number in range(40):
        content = f"Takes aspirin, memory {number} " + "😀" * 9_950
        request = RememberRequest(client_id=f"{number}", category="MEMORY_CATEGORY_MEDICATION", content=content)
        ada.calls(direct.patient_memories.Remember, request)
    context = build(contexts, ada, id, budget=1_000_000, bytes_per_token=8, memory_limit=50)
    assert context.ByteSize() < 4 << 20
    assert (len(context.messages), len(context.memories)) == (3, 19)


def test_memories_are_found_by_meaning_and_say_how(contexts, direct, ada, session, knowledge):
    embedding = [1.0] + [0.0] * 383
    request = RememberRequest(
        client_id="other words",
        category="MEMORY_CATEGORY_MEDICATION",
        content="Swallows a blood thinner",
        embedding=embedding,
        model_id=MEMORIES_MODEL,
    )
    ada.calls(direct.patient_memories.Remember, request)
    by_words = build(contexts, ada, session)
    assert len(by_words.memories) == 3
    assert [(piece.found.rank_by_words, piece.found.rank_by_meaning) for piece in by_words.memories] == [(1, 0), (2, 0), (3, 0)]
    by_both = build(contexts, ada, session, embedding=embedding, model_id=MEMORIES_MODEL)
    found = {piece.found.memory.content: piece.found for piece in by_both.memories}
    assert len(found) == 4
    nearest = found["Swallows a blood thinner"]
    assert nearest.rank_by_meaning == 1 and not nearest.HasField("rank_by_words")
    assert nearest.similarity == pytest.approx(1) and nearest.score == pytest.approx(1 / 61)
    # a collection of another model has its passages found by meaning, and memories by words alone
    apart = build(contexts, ada, session, collection=knowledge[0], model_id=MODEL, embedding=[1, 0])
    assert len(apart.passages) == 5 and len(apart.memories) == 3


def test_what_a_model_was_told_can_be_seen_again(contexts, direct, ada, session):
    before = build(contexts, ada, session)
    (known, *_) = before.memories
    newest = before.messages[-1].message
    more = NewMessage(client_id="more", role="ROLE_USER", content="And ibuprofen?")
    ada.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=[more]))
    request = RememberRequest(
        client_id="new",
        category="MEMORY_CATEGORY_MEDICATION",
        content="Takes no aspirin",
        supersedes=known.found.memory.id,
    )
    ada.calls(direct.patient_memories.Remember, request)

    now = build(contexts, ada, session)
    then = build(contexts, ada, session, as_of=before.as_of, last_sequence=newest.sequence)
    assert pieces(now) != pieces(before)
    assert pieces(then) == pieces(before)
    assert then.as_of == before.as_of
    assert not build(contexts, ada, session, memory_limit=0).HasField("as_of")


def test_limits_and_parts_that_are_not_wanted(contexts, ada, session, knowledge):
    only = build(contexts, ada, session, message_limit=3, memory_limit=0)
    assert [piece.message.sequence for piece in only.messages] == [28, 29, 30]
    assert not only.memories and not only.passages and [part.service for part in only.parts] == ["chat"]
    none = build(contexts, ada, session, message_limit=0, memory_limit=1, collection=knowledge[0], model_id=MODEL, passage_limit=1)
    assert (len(none.messages), len(none.memories), len(none.passages)) == (0, 1, 1)


def test_what_is_wrong_is_named_and_nobody_elses_is_told(contexts, ada, bob, session, knowledge):
    with refused("NOT_FOUND"):
        build(contexts, bob, session)
    with refused("NOT_FOUND"):
        build(contexts, ada, str(uuid.uuid4()), message_limit=0)
    with invalid("query", "token_budget", "bytes_per_token", "message_limit", "last_sequence"):
        build(contexts, ada, session, "", 15, bytes_per_token=math.nan, message_limit=101, last_sequence=-1)
    with invalid("session_id"):
        build(contexts, ada, "mine")
    # without a collection an embedding is of memories, so of their model
    with invalid("model_id"):
        build(contexts, ada, session, embedding=[1, 0])
    with invalid("model_id"):
        build(contexts, ada, session, embedding=[1, 0], model_id=MODEL)
    with invalid("embedding"):
        build(contexts, ada, session, embedding=[1, 0], model_id=MEMORIES_MODEL)
    with invalid("model_id"):
        build(contexts, ada, session, collection=knowledge[0], model_id="another", embedding=[1, 0])
    with invalid("embedding"):
        build(contexts, ada, session, collection=knowledge[0], model_id=MODEL, embedding=[1, 0, 0])
    with refused("NOT_FOUND"):
        build(contexts, ada, session, collection="contract_nowhere", model_id=MODEL)


def test_at_the_json_door(json_door, ada, session):
    body = {"query": "aspirin", "tokenBudget": 100, "bytesPerToken": 4}
    context = json_door.answers(
        BuildContextResponse, "POST", f"/v1/chats/{session}/context", person=ada, json=body
    )
    assert context.messages and context.memories and context.token_count <= 100
