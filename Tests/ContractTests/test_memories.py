"""What the assistant remembers of people: found by meaning, by their person alone, and never past its end."""

import datetime
import random
import time

import pytest
from client import people
from client.medical import cosine
from client.refusals import invalid, refused
from google.protobuf import timestamp_pb2
from heartguard.users.v1.users_service_pb2 import EraseAccountRequest
from heartguard.vectors.v1 import filter_pb2, memories_pb2
from heartguard.vectors.v1 import memories_service_pb2 as service

MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def unit(chance: random.Random) -> list[float]:
    vector = [chance.gauss(0, 1) for _ in range(384)]
    length = sum(part * part for part in vector) ** 0.5
    return [part / length for part in vector]


def at(moment: datetime.datetime) -> timestamp_pb2.Timestamp:
    timestamp = timestamp_pb2.Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def memory(id: str, embedding=None, **fields) -> memories_pb2.NewMemory:
    defaults = dict(content=f"what {id} is about", memory_type="note", embedding=embedding or [1.0] * 384)
    return memories_pb2.NewMemory(id=id, **{**defaults, **fields})


def keep(door, person, *memories, model=MODEL):
    return person.calls(door.memories.UpsertMemories, service.UpsertMemoriesRequest(model_id=model, memories=memories))


def search(door, person, embedding=None, model=MODEL, **fields):
    request = service.SearchMemoriesRequest(model_id=model, embedding=embedding or [1.0] * 384, **fields)
    return person.calls(door.memories.SearchMemories, request)


def found(*call, **fields) -> list[str]:
    return [match.memory.id for match in search(*call, **fields).matches]


def listed(door, person, **fields) -> list:
    memories, token = [], ""
    while True:
        page = person.calls(door.memories.ListMemories, service.ListMemoriesRequest(page_token=token, **fields))
        memories += page.memories
        token = page.next_page_token
        if not token:
            return memories


def delete(door, person, **fields):
    return person.calls(door.memories.DeleteMemories, service.DeleteMemoriesRequest(**fields))


def test_a_memory_is_found_by_its_person_alone(door, ada, bob):
    end = at(datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1))
    kept = keep(
        door,
        ada,
        memory("one", memory_type="fact", importance=0.75, expires_at=end, metadata={"place": "Ward 3"}),
        memory("two", typed_metadata={"year": filter_pb2.MetadataValue(number=2026)}),
    )
    assert (kept.inserted_count, kept.replaced_count, kept.position) == (2, 0, 1)

    one, two = listed(door, ada)
    assert (one.id, one.content, one.memory_type, one.importance) == ("one", "what one is about", "fact", 0.75)
    assert one.expires_at == end and dict(one.metadata) == {"place": "Ward 3"}
    assert two.typed_metadata["year"].number == 2026 and two.importance == 0.5 and not two.HasField("expires_at")
    answer = search(door, ada, min_position=kept.position)
    assert answer.exact and answer.position == kept.position
    assert [match.memory for match in answer.matches] == [one, two]
    assert found(door, bob) == [] and listed(door, bob) == []
    # the same id is another memory of another person
    keep(door, bob, memory("one"))
    assert delete(door, bob, ids=["one", "two"]).deleted_count == 1
    assert found(door, ada) == ["one", "two"]


def test_what_is_nearest_is_what_an_exhaustive_search_finds(door, ada):
    chance = random.Random(7)
    vectors = {str(number): unit(chance) for number in range(150)}
    ids = list(vectors)
    for start in range(0, 150, 50):
        keep(door, ada, *(memory(id, vectors[id]) for id in ids[start : start + 50]))
    for _ in range(5):
        query = unit(chance)
        answer = search(door, ada, query, limit=20)
        wanted = sorted(ids, key=lambda id: -cosine(query, vectors[id]))[:20]
        assert [match.memory.id for match in answer.matches] == wanted
        assert all(abs(match.score - cosine(query, vectors[match.memory.id])) < 1e-5 for match in answer.matches)
    assert [memory.id for memory in listed(door, ada, page_size=7)] == sorted(ids)


def test_filters_hold_in_searches_lists_and_deletions(door, ada):
    year = lambda number: {"year": filter_pb2.MetadataValue(number=number)}
    keep(
        door,
        ada,
        memory("a", memory_type="fact", importance=0, typed_metadata=year(2020)),
        memory("b", memory_type="fact", importance=1, typed_metadata=year(2026)),
        memory("c", memory_type="plan", importance=0.4),
    )
    since = filter_pb2.KeyRange(key="year", at_least=filter_pb2.MetadataValue(number=2021))
    recent = filter_pb2.Filter(range=since)
    assert found(door, ada, memory_types=["fact"]) == ["a", "b"]
    assert found(door, ada, min_importance=0.4) == ["b", "c"]
    assert found(door, ada, where=recent) == ["b"]
    assert [memory.id for memory in listed(door, ada, memory_types=["plan"])] == ["c"]
    assert delete(door, ada, memory_types=["fact"], where=recent).deleted_count == 1
    assert found(door, ada) == ["a", "c"]
    assert delete(door, ada, all=True).deleted_count == 2
    assert found(door, ada) == []


def test_what_one_door_has_kept_every_door_finds(front, direct, ada):
    doors = [front, direct]
    for number in range(10):
        kept = keep(doors[number % 2], ada, memory(str(number)))
        answer = search(doors[1 - number % 2], ada, min_position=kept.position, limit=100)
        assert {match.memory.id for match in answer.matches} == {str(each) for each in range(number + 1)}
    with refused("UNAVAILABLE"):
        search(direct, ada, min_position=kept.position + 1)


def test_a_memory_is_never_served_past_its_end(direct, ada):
    now = datetime.datetime.now(datetime.UTC)
    keep(
        direct,
        ada,
        memory("stays"),
        memory("past", expires_at=at(now - datetime.timedelta(seconds=1))),
        memory("soon", expires_at=at(now + datetime.timedelta(seconds=1.5))),
    )
    # the database's clock is this machine's
    while True:
        before = time.time()
        ids = found(direct, ada)
        if before >= now.timestamp() + 1.5:
            break
        assert ids in (["soon", "stays"], ["stays"])
    assert ids == ["stays"] == [memory.id for memory in listed(direct, ada)]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 129}, "id"),
        ({"id": "a\nb"}, "id"),
        ({"content": ""}, "content"),
        ({"content": "x" * (32 * 1024 + 1)}, "content"),
        ({"embedding": [1.0] * 383}, "embedding"),
        ({"embedding": [0.0] * 384}, "embedding"),
        ({"embedding": [float("nan")] * 384}, "embedding"),
        ({"embedding": [float("inf")] * 384}, "embedding"),
        ({"memory_type": "Fact!"}, "memory_type"),
        ({"importance": 1.5}, "importance"),
        ({"importance": float("nan")}, "importance"),
        ({"metadata": {"key": "x" * 9000}}, "metadata"),
    ],
)
def test_what_is_no_memory_is_refused(door, reader, fields, field):
    with invalid(f"memories[0].{field}"):
        keep(door, reader, memory(**{"id": "a", **fields}))


def test_what_is_no_question_is_refused(door, reader):
    with invalid("embedding"):
        search(door, reader, [1.0])
    for limit in (-1, 101, 2**31 - 1):
        with invalid("limit"):
            search(door, reader, limit=limit)
    with invalid("memory_types"):
        search(door, reader, memory_types=[f"type{number}" for number in range(17)])
    with invalid("min_importance"):
        search(door, reader, min_importance=-0.1)
    deep = filter_pb2.Filter(exists=filter_pb2.KeyExists(key="x"))
    for _ in range(17):
        deep = filter_pb2.Filter(none_of=filter_pb2.Filters(filters=[deep]))
    with refused("INVALID_ARGUMENT") as refusal:
        search(door, reader, where=deep)
    assert all(field.startswith("where.") for field in refusal.fields) and refusal.fields
    with invalid("model_id") as refusal:
        search(door, reader, model="MedCPT")
    assert MODEL in refusal.message and "MedCPT" in refusal.message
    with invalid("memories[1].id"):
        keep(door, reader, memory("a"), memory("a"))
    with invalid("ids"):
        delete(door, reader)
    with invalid("ids"):
        delete(door, reader, ids=["a"], all=True)
    with invalid("page_token"):
        reader.calls(door.memories.ListMemories, service.ListMemoriesRequest(page_token="x"))


def test_a_person_has_a_thousand_memories_at_most(direct, ada):
    for hundred in range(10):
        keep(direct, ada, *(memory(f"{hundred}-{number}") for number in range(100)))
    with refused("RESOURCE_EXHAUSTED") as refusal:
        keep(direct, ada, memory("one more"))
    assert "1000" in refusal.message
    assert refusal.exhausted == {"user"}
    assert keep(direct, ada, memory("0-1")).replaced_count == 1
    assert len(found(direct, ada, limit=100)) == 100


def test_at_the_json_door(json_door, direct, ada, bob):
    embedding = [1.0] * 384
    new = {"id": "one", "content": "Sleeps badly", "embedding": embedding, "memoryType": "note", "metadata": {"a": "b"}}
    kept = json_door.answers(
        service.UpsertMemoriesResponse, "POST", "/v1/vectors/memories", person=ada, json={"modelId": MODEL, "memories": [new]}
    )
    assert kept.inserted_count == 1
    asked = {"modelId": MODEL, "embedding": embedding, "where": {"exists": {"key": "a"}}}
    answer = json_door.answers(service.SearchMemoriesResponse, "POST", "/v1/vectors/memories:search", person=ada, json=asked)
    assert [match.memory.content for match in answer.matches] == ["Sleeps badly"] and answer.exact
    page = json_door.answers(
        service.ListMemoriesResponse, "GET", "/v1/vectors/memories", person=ada, params={"memory_types": "note", "page_size": "1"}
    )
    assert list(page.memories) == listed(direct, ada)
    gone = json_door.answers(service.DeleteMemoriesResponse, "POST", "/v1/vectors/memories:delete", person=bob, json={"all": True})
    assert gone.deleted_count == 0
    gone = json_door.answers(service.DeleteMemoriesResponse, "POST", "/v1/vectors/memories:delete", person=ada, json={"ids": ["one"]})
    assert gone.deleted_count == 1


def test_who_has_left_is_not_remembered(direct, ada, bob):
    for person in (ada, bob):
        keep(direct, person, memory("one"))
    ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password))
    with refused("UNAUTHENTICATED"):
        found(direct, ada)
    assert found(direct, bob) == ["one"]
    again = people.register(direct.users, name="Ada Again")
    assert found(direct, again) == []
