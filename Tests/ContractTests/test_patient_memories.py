"""What the assistant keeps about a person from one conversation to the next."""

import uuid

import pytest
from client.refusals import invalid, refused
from google.protobuf.struct_pb2 import Struct
from heartguard.chat.v1 import memories_service_pb2 as calls


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
