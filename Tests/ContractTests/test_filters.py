"""Filters over typed metadata: what each condition passes, and what is refused."""

import datetime
import random
import secrets

import pytest
from client.refusals import invalid, refused
from google.protobuf import timestamp_pb2
from heartguard.vectors.v1 import filter_pb2, vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as service
from heartguard.vectors.v1.filter_pb2 import Filter, Filters, KeyAmong, KeyEquals, KeyExists, KeyRange

MODEL = "two-d"
COUNT = 60


def value(given) -> filter_pb2.MetadataValue:
    if isinstance(given, bool):
        return filter_pb2.MetadataValue(boolean=given)
    if isinstance(given, str):
        return filter_pb2.MetadataValue(text=given)
    if isinstance(given, datetime.datetime):
        time = timestamp_pb2.Timestamp()
        time.FromDatetime(given)
        return filter_pb2.MetadataValue(time=time)
    return filter_pb2.MetadataValue(number=given)


def all_of(*filters):
    return Filter(all_of=Filters(filters=filters))


def any_of(*filters):
    return Filter(any_of=Filters(filters=filters))


def none_of(*filters):
    return Filter(none_of=Filters(filters=filters))


def equals(key, given):
    return Filter(equals=KeyEquals(key=key, value=value(given)))


def among(key, *given):
    return Filter(among=KeyAmong(key=key, values=map(value, given)))


def within(key, **bounds):
    return Filter(range=KeyRange(key=key, **{name: value(bound) for name, bound in bounds.items()}))


def exists(key):
    return Filter(exists=KeyExists(key=key))


def passes(filter: Filter, entries: dict) -> bool:
    """What a filter means, said once more and otherwise."""
    kind = filter.WhichOneof("condition")
    if kind in ("all_of", "any_of", "none_of"):
        parts = [passes(part, entries) for part in getattr(filter, kind).filters]
        return {"all_of": all(parts), "any_of": any(parts), "none_of": not any(parts)}[kind]
    condition = getattr(filter, kind)
    if condition.key not in entries:
        return False
    held = value(entries[condition.key])
    if kind == "exists":
        return True
    if kind == "equals":
        return held == condition.value
    if kind == "among":
        return held in condition.values
    name = held.WhichOneof("kind")

    def plain(message):
        if name == "time":
            return (message.time.seconds, message.time.nanos)
        return getattr(message, name)

    for side, holds in (
        ("at_least", lambda bound: plain(held) >= bound),
        ("above", lambda bound: plain(held) > bound),
        ("at_most", lambda bound: plain(held) <= bound),
        ("below", lambda bound: plain(held) < bound),
    ):
        if condition.HasField(side):
            bound = getattr(condition, side)
            if bound.WhichOneof("kind") != name or not holds(plain(bound)):
                return False
    return True


YEARS = [2019, 2020.5, 2021, 2024]
TIMES = [datetime.datetime(2026, 1, day, 12, 30, tzinfo=datetime.UTC) for day in (1, 2, 3)]


def random_entries(chance: random.Random) -> dict:
    entries = {}
    if chance.random() < 0.8:
        entries["source"] = chance.choice(["go", "chebi", "ICD", "é"])
    if chance.random() < 0.8:
        entries["year"] = chance.choice([*YEARS, "2021"])
    if chance.random() < 0.5:
        entries["reviewed"] = chance.random() < 0.5
    if chance.random() < 0.5:
        entries["seen"] = chance.choice(TIMES)
    return entries


def random_filter(chance: random.Random, levels: int) -> Filter:
    if levels > 1 and chance.random() < 0.6:
        parts = [random_filter(chance, levels - 1) for _ in range(chance.randint(1, 3))]
        return chance.choice([all_of, any_of, none_of])(*parts)
    key, values = chance.choice(
        [("source", ["go", "chebi", "ICD", "nowhere"]), ("year", YEARS), ("reviewed", [True, False]), ("seen", TIMES)]
    )
    kind = chance.randrange(4)
    if kind == 0:
        return equals(key, chance.choice(values))
    if kind == 1:
        return among(key, *chance.sample(values, chance.randint(1, len(values))))
    if kind == 2 and key != "reviewed":
        bounds = {chance.choice(["at_least", "above"]): chance.choice(values)} if chance.random() < 0.7 else {}
        if not bounds or chance.random() < 0.5:
            bounds[chance.choice(["at_most", "below"])] = chance.choice(values)
        return within(key, **bounds)
    return exists(key)


def put(door, operator, name, documents: dict[str, dict]) -> int:
    """Documents on a circle, by id and entries."""
    request = service.UpsertDocumentsRequest(collection=name, model_id=MODEL)
    for id, entries in documents.items():
        texts = {key: entry for key, entry in entries.items() if isinstance(entry, str)}
        added = request.documents.add(id=id, embedding=[1, int(id) / 7], metadata=texts)
        for key, entry in entries.items():
            if key not in texts:
                added.typed_metadata[key].CopyFrom(value(entry))
    return operator.calls(door.vectors.UpsertDocuments, request).position


def search(door, person, name, where, *, position=0, limit=COUNT, **fields):
    request = service.SearchRequest(
        collection=name, model_id=MODEL, embedding=[1, 0], where=where, limit=limit, min_position=position, **fields
    )
    return person.calls(door.vectors.Search, request)


@pytest.fixture
def shelf(door, operator):
    """A collection of documents with entries of every type: its name, what is in it, and its position."""
    name = f"contract_{secrets.token_hex(6)}"
    operator.calls(
        door.vectors.CreateCollection,
        service.CreateCollectionRequest(name=name, model_id=MODEL, dimension=2, metric="METRIC_COSINE"),
    )
    chance = random.Random(20261129)
    documents = {str(number): random_entries(chance) for number in range(COUNT)}
    return name, documents, put(door, operator, name, documents)


def test_random_filters_pass_what_a_look_at_each_document_passes(door, operator, reader, shelf):
    name, documents, position = shelf
    chance = random.Random(7)
    for round in range(60):
        if round % 15 == 14:
            changed = {id: random_entries(chance) for id in chance.sample(sorted(documents), 10)}
            position = put(door, operator, name, changed)
            gone = chance.sample(sorted(documents), 3)
            request = service.DeleteDocumentsRequest(collection=name, ids=gone)
            position = operator.calls(door.vectors.DeleteDocuments, request).position
            documents = {id: entries for id, entries in (documents | changed).items() if id not in gone}
        filter = random_filter(chance, 3)
        expected = [id for id in sorted(documents, key=int) if passes(filter, documents[id])]
        answer = search(door, reader, name, filter, position=position)
        # the nearest to (1, 0) is the lowest number
        assert [match.id for match in answer.matches] == expected, filter
        few = search(door, reader, name, filter, position=position, limit=5)
        assert [match.id for match in few.matches] == expected[:5], filter


def test_a_search_gives_the_same_every_time(door, reader, shelf):
    name, _, position = shelf
    filter = any_of(equals("source", "go"), within("year", above=2020))
    first = search(door, reader, name, filter, position=position, limit=7, query_text="1 2 3")
    assert len(first.matches) == 7
    for _ in range(100):
        assert search(door, reader, name, filter, position=position, limit=7, query_text="1 2 3") == first


def test_entries_come_back_with_their_types(door, reader, shelf):
    name, documents, position = shelf
    answer = search(door, reader, name, none_of(equals("source", "nowhere")), position=position)
    assert len(answer.matches) == COUNT
    assert answer.exact
    for match in answer.matches:
        entries = {key: value(text) for key, text in match.metadata.items()} | dict(match.typed_metadata)
        assert entries == {key: value(entry) for key, entry in documents[match.id].items()}


def test_the_filter_of_texts_holds_beside_it(door, reader, shelf):
    name, documents, position = shelf
    answer = search(door, reader, name, exists("reviewed"), position=position, filter={"source": "go"})
    expected = {id for id, entries in documents.items() if entries.get("source") == "go" and "reviewed" in entries}
    assert {match.id for match in answer.matches} == expected != set()


def test_a_key_is_data(door, reader, shelf):
    name, _, position = shelf
    for key in ("source' OR '1'='1", "$.source", "source->>0", "%", "source\\", "key\n"):
        assert not search(door, reader, name, exists(key), position=position).matches


def test_documents_are_deleted_by_filter(door, operator, reader, shelf):
    name, documents, position = shelf
    filter = all_of(equals("source", "go"), none_of(exists("seen")))
    gone = {id for id, entries in documents.items() if passes(filter, entries)}
    request = service.DeleteDocumentsRequest(collection=name, where=filter)
    answer = operator.calls(door.vectors.DeleteDocuments, request)
    assert answer.deleted_count == len(gone) > 0
    assert answer.position > position
    left = search(door, reader, name, none_of(exists("no such key")), position=answer.position)
    assert {match.id for match in left.matches} == set(documents) - gone
    assert operator.calls(door.vectors.DeleteDocuments, request).deleted_count == 0
    with invalid("ids"):
        request = service.DeleteDocumentsRequest(collection=name, where=filter, ids=["1"])
        operator.calls(door.vectors.DeleteDocuments, request)


def nested(levels: int) -> Filter:
    filter = exists("source")
    for _ in range(levels - 1):
        filter = none_of(filter)
    return filter


DEEPEST = "where" + ".none_of.filters[0]" * 16


@pytest.mark.parametrize(
    ("filter", "field"),
    [
        (Filter(), "where"),
        # a condition that a newer contract has
        (Filter.FromString(b"\xfa\x01\x00"), "where"),
        (equals("", 1), "where.equals.key"),
        (equals("year", float("nan")), "where.equals.value"),
        (equals("year", float("inf")), "where.equals.value"),
        (Filter(equals=KeyEquals(key="year")), "where.equals.value"),
        (among("year"), "where.among.values"),
        (among("year", 1, "1"), "where.among.values[1]"),
        (among("year", *range(1001)), "where.among.values"),
        (within("year"), "where.range"),
        (within("year", at_least=1, below="2"), "where.range"),
        (within("reviewed", above=False), "where.range.above"),
        (any_of(), "where.any_of.filters"),
        (all_of(exists("year"), none_of(Filter())), "where.all_of.filters[1].none_of.filters[0]"),
        (any_of(*[exists("year")] * 256), "where.any_of.filters[255]"),
        (nested(17), DEEPEST),
        (nested(45), DEEPEST),
    ],
)
def test_what_is_wrong_with_a_filter_is_named_by_its_path(door, operator, reader, shelf, filter, field):
    name, documents, position = shelf
    with invalid(field):
        search(door, reader, name, filter)
    with invalid(field):
        operator.calls(door.vectors.DeleteDocuments, service.DeleteDocumentsRequest(collection=name, where=filter))


def test_a_filter_at_its_bounds_is_answered(door, reader, shelf):
    name, documents, position = shelf
    assert search(door, reader, name, nested(16), position=position).matches
    assert search(door, reader, name, any_of(*[exists("year")] * 255), position=position).matches
    assert search(door, reader, name, among("year", *range(1500, 2500)), position=position).matches


def test_a_filter_of_a_thousand_levels_is_no_message(door, reader, shelf):
    """Messages nest a hundred deep at most, whatever they are."""
    name, _, position = shelf
    # written by hand, innermost first, since Python's own encoder has a bound as well
    filter = exists("source").SerializeToString()
    for _ in range(1000):
        filter = field(3, field(1, filter))
    head = service.SearchRequest(collection=name, model_id=MODEL, embedding=[1, 0]).SerializeToString()
    method = door.channel("vectors").unary_unary("/heartguard.vectors.v1.VectorsService/Search")
    with refused("INVALID_ARGUMENT") as refusal:
        method(head + field(8, filter), metadata=reader.metadata, timeout=30)
    assert "nested" in refusal.message
    assert search(door, reader, name, exists("source"), position=position).matches


def field(number: int, content: bytes) -> bytes:
    """A message within a message, on the wire."""
    size, length = len(content), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def test_what_is_wrong_with_typed_metadata_is_named(door, operator, shelf):
    name, _, _ = shelf
    request = service.UpsertDocumentsRequest(collection=name, model_id=MODEL)
    request.documents.add(id="a", embedding=[1, 0]).typed_metadata["year"].number = float("nan")
    request.documents.add(id="b", embedding=[1, 0]).typed_metadata["year"].SetInParent()
    twice = request.documents.add(id="c", embedding=[1, 0], metadata={"year": "2026"})
    twice.typed_metadata["year"].number = 2026
    late = request.documents.add(id="d", embedding=[1, 0])
    late.typed_metadata["seen"].time.seconds = 253_402_300_800
    with invalid(*(f'documents[{place}].typed_metadata["{key}"]' for place, key in enumerate(["year"] * 3 + ["seen"]))):
        operator.calls(door.vectors.UpsertDocuments, request)


def test_filters_in_json(json_door, front, operator, reader):
    name = f"contract_{secrets.token_hex(6)}"
    created = service.CreateCollectionRequest(name=name, model_id=MODEL, dimension=2, metric="METRIC_COSINE")
    operator.calls(front.vectors.CreateCollection, created)
    path = f"/v1/collections/{name}/documents"
    entries = {"year": {"number": 2026}, "seen": {"time": "2026-01-02T03:04:05Z"}, "new": {"boolean": True}}
    documents = [
        {"id": "a", "embedding": [1, 0], "metadata": {"source": "go"}, "typedMetadata": entries},
        {"id": "b", "embedding": [0, 1]},
    ]
    body = {"modelId": MODEL, "documents": documents}
    upserted = json_door.answers(service.UpsertDocumentsResponse, "POST", path, person=operator, json=body)
    where = {
        "allOf": {
            "filters": [
                {"equals": {"key": "source", "value": {"text": "go"}}},
                {"range": {"key": "year", "atLeast": {"number": 2025}, "below": {"number": 2027}}},
                {"among": {"key": "new", "values": [{"boolean": True}]}},
            ]
        }
    }
    question = {"modelId": MODEL, "embedding": [1, 0], "where": where, "minPosition": str(upserted.position)}
    answer = json_door.answers(service.SearchResponse, "POST", f"{path}:search", person=reader, json=question)
    assert [match.id for match in answer.matches] == ["a"]
    assert answer.matches[0].typed_metadata["seen"].time.ToJsonString() == "2026-01-02T03:04:05Z"
    question["where"] = {"like": {"key": "source"}}
    json_door.refuses(400, "INVALID_ARGUMENT", "POST", f"{path}:search", person=reader, json=question)
