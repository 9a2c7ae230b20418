"""What the assistant keeps about a person from one conversation to the next."""

import time
import uuid

import pytest
from client import medical
from client.refusals import invalid, refused
from google.protobuf.struct_pb2 import Struct
from heartguard.chat.v1 import memories_service_pb2 as calls
from heartguard.vectors.v1 import memories_pb2
from heartguard.vectors.v1 import memories_service_pb2 as vectors

MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def remember(door, person, content, category="MEDICATION", client_id=None, **fields):
    request = calls.RememberRequest(
        client_id=client_id or str(uuid.uuid4()), content=content, category=f"MEMORY_CATEGORY_{category}", **fields
    )
    return person.calls(door.patient_memories.Remember, request)


def current(door, person, **fields):
    answer = person.calls(door.patient_memories.ListMemories, calls.ListMemoriesRequest(**fields))
    return [memory.content for memory in answer.memories]


def search(door, person, query, **fields):
    return person.calls(door.patient_memories.SearchMemories, calls.SearchMemoriesRequest(query=query, **fields)).memories


def history(door, person, memory):
    return person.calls(door.patient_memories.ListMemoryHistory, calls.ListMemoryHistoryRequest(memory_id=memory.id)).memories


def forget(door, person, *ids):
    request = calls.ForgetMemoriesRequest(memory_ids=ids)
    return person.calls(door.patient_memories.ForgetMemories, request).forgotten_count


def test_a_story_of_facts_that_change(door, ada, bob):
    notes = Struct()
    notes.update({"model": "m", "turn": 3})
    first = remember(door, ada, "Takes 50 mg of metoprolol", importance=0.8, metadata=notes).memory
    assert first.metadata == notes and first.importance == 0.8 and not first.HasField("superseded_at")
    remember(door, ada, "Walks the dog in the morning", "LIFESTYLE")
    # the same fact again is no other memory, and takes nothing away
    again = remember(door, ada, "Takes 50 mg of metoprolol")
    assert again.memory == first and not again.created

    second = remember(door, ada, "Takes 100 mg of metoprolol", supersedes=first.id, client_id="second").memory
    assert remember(door, ada, "lost answer", client_id="second").memory == second
    assert current(door, ada) == ["Takes 100 mg of metoprolol", "Walks the dog in the morning"]
    assert current(door, ada, as_of=first.created_at) == ["Takes 50 mg of metoprolol"]
    assert [found.memory.content for found in search(door, ada, "metoprolol")] == ["Takes 100 mg of metoprolol"]
    earlier = search(door, ada, "metoprolol", as_of=first.created_at)
    assert [found.memory.content for found in earlier] == ["Takes 50 mg of metoprolol"]
    kept = history(door, ada, second)
    assert [memory.content for memory in kept] == ["Takes 50 mg of metoprolol", "Takes 100 mg of metoprolol"]
    assert kept[0].superseded_by == second.id and kept[0].superseded_at == second.created_at
    with refused("ABORTED"):
        remember(door, ada, "Takes 25 mg of metoprolol", supersedes=first.id)
    assert len(current(door, ada, include_history=True)) == 3

    # nobody else's, in any way
    assert current(door, bob, include_history=True) == [] and list(search(door, bob, "metoprolol")) == []
    for attempt in (
        lambda: history(door, bob, second),
        lambda: remember(door, bob, "x", supersedes=second.id),
    ):
        with refused("NOT_FOUND"):
            attempt()
    assert forget(door, bob, second.id) == 0

    (found,) = search(door, ada, "dogs")
    assert forget(door, ada, found.memory.id, str(uuid.uuid4())) == 1
    assert forget(door, ada, found.memory.id) == 0
    assert list(search(door, ada, "dogs")) == []


def test_what_is_found_says_why_it_stands_there(door, ada):
    for importance in (0.1, 0.9):
        remember(door, ada, f"Allergic to penicillin, {importance}", "ALLERGY", importance=importance)
    found = search(door, ada, "Is there an allergy to penicillins?", categories=["MEMORY_CATEGORY_ALLERGY"])
    assert [round(memory.memory.importance, 3) for memory in found] == [0.9, 0.1]
    for one in found:
        score = one.relevance * (1 + one.recency) / 2 * (1 + one.memory.importance) / 2
        assert one.score == pytest.approx(score) and 0.99 < one.recency <= 1
    assert list(search(door, ada, "penicillin", categories=["MEMORY_CATEGORY_GOAL"])) == []
    assert len(search(door, ada, "penicillin", least_importance=0.5)) == 1


def test_in_pages(door, ada):
    for number in range(5):
        remember(door, ada, f"Memory {number}")
    seen, token = [], ""
    while True:
        page = ada.calls(door.patient_memories.ListMemories, calls.ListMemoriesRequest(page_size=2, page_token=token))
        seen += [memory.content for memory in page.memories]
        if not (token := page.next_page_token):
            break
    assert seen == [f"Memory {number}" for number in reversed(range(5))]


def test_a_history_in_pages(door, ada):
    memory = None
    for number in range(5):
        memory = remember(door, ada, f"Weighs {80 - number} kg", supersedes=memory.id if memory else None).memory
    seen, request = [], calls.ListMemoryHistoryRequest(memory_id=memory.id, page_size=2)
    while not seen or request.page_token:
        page = ada.calls(door.patient_memories.ListMemoryHistory, request)
        seen += [memory.content for memory in page.memories]
        request.page_token = page.next_page_token
    assert seen == [f"Weighs {80 - number} kg" for number in range(5)]


def test_what_is_wrong_is_named(door, ada):
    with invalid("client_id", "category", "content", "importance", "supersedes"):
        request = calls.RememberRequest(content="x" * 10_001, importance=2, supersedes="x")
        ada.calls(door.patient_memories.Remember, request)
    with invalid("query", "limit"):
        search(door, ada, "", limit=101)
    with invalid("page_token"):
        current(door, ada, page_token="x")
    with invalid("memory_ids"):
        forget(door, ada)
    with invalid("memory_id"):
        ada.calls(door.patient_memories.ListMemoryHistory, calls.ListMemoryHistoryRequest(memory_id="x"))


def test_at_the_json_door(json_door, ada):
    body = {"clientId": "j", "category": "MEMORY_CATEGORY_GOAL", "content": "Wants to run 5 km", "metadata": {"a": 1}}
    kept = json_door.answers(calls.RememberResponse, "POST", "/v1/memories", person=ada, json=body)
    listed = json_door.answers(
        calls.ListMemoriesResponse, "GET", "/v1/memories", person=ada, params={"category": "MEMORY_CATEGORY_GOAL"}
    )
    found = json_door.answers(
        calls.SearchMemoriesResponse, "POST", "/v1/memories:search", person=ada, json={"query": "running"}
    )
    chain = json_door.answers(
        calls.ListMemoryHistoryResponse, "GET", f"/v1/memories/{kept.memory.id}/history", person=ada
    )
    assert list(listed.memories) == list(chain.memories) == [found.memories[0].memory] == [kept.memory]
    gone = json_door.answers(
        calls.ForgetMemoriesResponse, "POST", "/v1/memories:forget", person=ada, json={"memoryIds": [kept.memory.id]}
    )
    assert gone.forgotten_count == 1
    error = {"clientId": "j", "category": "MEMORY_CATEGORY_GOAL", "contents": "x"}
    json_door.refuses(400, "INVALID_ARGUMENT", "POST", "/v1/memories", person=ada, json=error)


def along(axis: int) -> list[float]:
    """The farther apart two axes are, the smaller is the cosine of what points along them."""
    return [1 / (1 + abs(place - axis)) for place in range(384)]


def known(door, person, content, axis, **fields):
    return remember(door, person, content, embedding=along(axis), model_id=MODEL, **fields).memory


def near(door, person, axis, query="", **fields):
    return search(door, person, query, embedding=along(axis), model_id=MODEL, **fields)


def contents(found):
    return [one.memory.content for one in found]


def test_what_was_said_otherwise_is_found_by_its_meaning(door, ada, bob):
    known(door, ada, "Takes metoprolol", 100)
    first = known(door, ada, "Takes a beta blocker", 10)
    remember(door, ada, "Was told to stop metoprolol")
    assert first.model_id == MODEL
    both = near(door, ada, 10, "metoprolol")
    assert contents(both) == ["Takes metoprolol", "Was told to stop metoprolol", "Takes a beta blocker"]
    assert [one.rank_by_meaning for one in both] == [2, 0, 1]
    assert [one.HasField("rank_by_words") for one in both] == [True, True, False]
    assert [one.HasField("similarity") for one in both] == [True, False, True]
    for one in both:
        ranks = [rank for rank in (one.rank_by_words, one.rank_by_meaning) if rank]
        assert one.score == pytest.approx(sum(1 / (60 + rank) for rank in ranks), rel=1e-5)
    assert both[2].similarity == pytest.approx(1, abs=1e-6) and both[2].relevance == 0
    assert contents(near(door, ada, 10)) == ["Takes a beta blocker", "Takes metoprolol"]
    assert contents(near(door, ada, 10, "metoprolol", limit=1)) == ["Takes metoprolol"]
    assert list(near(door, bob, 10, "metoprolol")) == []


def test_the_view_of_now_and_of_then_is_right_by_meaning_too(door, ada):
    first = known(door, ada, "Takes 50 mg of metoprolol", 10)
    second = known(door, ada, "Takes 100 mg of metoprolol", 12, supersedes=first.id)
    other = remember(door, ada, "Walks the dog").memory
    assert contents(near(door, ada, 10)) == ["Takes 100 mg of metoprolol"]
    assert contents(near(door, ada, 10, as_of=first.created_at)) == ["Takes 50 mg of metoprolol"]
    assert [memory.content for memory in history(door, ada, second)] == [first.content, second.content]
    # what was remembered without an embedding gets one when it is remembered again
    again = remember(door, ada, "Walks the dog", embedding=along(300), model_id=MODEL)
    assert again.memory.id == other.id and not again.created and not other.HasField("model_id")
    assert contents(near(door, ada, 300)) == ["Walks the dog", "Takes 100 mg of metoprolol"]
    assert forget(door, ada, second.id) == 1
    assert contents(near(door, ada, 12)) == ["Walks the dog"]


def test_what_is_forgotten_here_is_forgotten_in_vectors(door, ada, bob):
    kept = known(door, ada, "Walks the dog", 10)
    elsewhere = str(uuid.uuid4())
    notes = [
        memories_pb2.NewMemory(id=id, content="Walks the dog", embedding=along(10), memory_type="note")
        for id in (kept.id, elsewhere, "another")
    ]
    for person in (ada, bob):
        request = vectors.UpsertMemoriesRequest(model_id=MODEL, memories=notes)
        person.calls(door.memories.UpsertMemories, request)
    # one that was never here is forgotten there all the same
    assert forget(door, ada, kept.id, elsewhere) == 1

    def listed(person):
        page = person.calls(door.memories.ListMemories, vectors.ListMemoriesRequest())
        return {memory.id for memory in page.memories}

    end = time.monotonic() + 60
    while listed(ada) != {"another"}:
        assert time.monotonic() < end, "Vectors still has what was forgotten"
        time.sleep(0.05)
    assert listed(bob) == {kept.id, elsewhere, "another"}


@pytest.mark.parametrize(
    ("embedding", "model", "field"),
    [
        ([1.0] * 383, None, "embedding"),
        ([0.0] * 384, None, "embedding"),
        ([float("nan")] * 384, None, "embedding"),
        ([], None, "embedding"),
        ([1.0] * 384, "", "model_id"),
        ([1.0] * 384, "MedCPT", "model_id"),
    ],
)
def test_what_cannot_be_compared_is_refused(door, ada, embedding, model, field):
    fields = {"embedding": embedding, "model_id": MODEL if model is None else model}
    with invalid(field) as refusal:
        remember(door, ada, "x", **fields)
    if model:
        assert MODEL in refusal.message
    with invalid(field):
        search(door, ada, "x", **fields)
    assert current(door, ada, include_history=True) == []


def test_real_questions_are_answered_better_by_both_rankings_than_by_either(direct, ada):
    """Texts of a lexicon as what is remembered: those that are looked for, and some others."""
    items = medical.known_items()[::3]
    wanted = {item["target"] for item in items}
    texts = [text for number, text in enumerate(medical.documents()) if text["id"] in wanted or number % 8 == 0]
    for text in texts:
        content = f"{text['id']}: {text['content']}"
        remember(direct, ada, content, "OTHER", text["id"], embedding=text["embedding"], model_id=MODEL)

    def mean_reciprocal_rank(**ways):
        total = 0.0
        for item in items:
            fields = {"embedding": item["embedding"], "model_id": MODEL} if ways["meaning"] else {}
            found = search(direct, ada, item["text"] if ways["words"] else "", limit=10, **fields)
            ids = [one.memory.content.split(": ")[0] for one in found]
            total += 1 / (ids.index(item["target"]) + 1) if item["target"] in ids else 0
        return total / len(items)

    words = mean_reciprocal_rank(words=True, meaning=False)
    meaning = mean_reciprocal_rank(words=False, meaning=True)
    both = mean_reciprocal_rank(words=True, meaning=True)
    assert both > max(words, meaning), (words, meaning, both)
