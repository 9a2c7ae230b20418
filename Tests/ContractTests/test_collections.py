"""Collections of documents: making, filling, emptying and searching small ones."""

import secrets

import pytest
from client.refusals import invalid, refused
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1.vectors_service_pb2 import (
    CreateCollectionRequest,
    DeleteDocumentsRequest,
    ListCollectionsRequest,
    SearchRequest,
    UpsertDocumentsRequest,
)

MODEL = "three-d"
EAST, NORTH, UP = (1, 0, 0), (0, 1, 0), (0, 0, 1)
NORTH_EAST = (1, 1, 0)


def new_name() -> str:
    """Each run takes names of its own."""
    return f"contract_{secrets.token_hex(6)}"


def create(door, operator, name, **fields):
    request = CreateCollectionRequest(**{"model_id": MODEL, "dimension": 3, "metric": "METRIC_COSINE", **fields})
    request.name = name
    return operator.calls(door.vectors.CreateCollection, request)


def document(id, embedding, content="", **metadata):
    return vectors_pb2.Document(id=id, embedding=embedding, content=content, metadata=metadata)


def upsert(door, operator, name, *documents, model=MODEL):
    request = UpsertDocumentsRequest(collection=name, model_id=model, documents=documents)
    return operator.calls(door.vectors.UpsertDocuments, request)


def delete(door, operator, name, *ids):
    return operator.calls(door.vectors.DeleteDocuments, DeleteDocumentsRequest(collection=name, ids=ids))


def search(door, person, name, embedding=EAST, *, position=0, model=MODEL, **fields):
    request = SearchRequest(collection=name, model_id=model, embedding=embedding, min_position=position, **fields)
    return person.calls(door.vectors.Search, request)


def found(door, person, name, embedding=EAST, **fields):
    return [match.id for match in search(door, person, name, embedding, **fields).matches]


def listed(door, person):
    collections = person.calls(door.vectors.ListCollections, ListCollectionsRequest()).collections
    assert [collection.name for collection in collections] == sorted(collection.name for collection in collections)
    return {collection.name: collection for collection in collections}


@pytest.fixture
def compass(door, operator):
    """A collection of three documents that lie at right angles."""
    name = new_name()
    create(door, operator, name)
    upsert(
        door,
        operator,
        name,
        document("east", EAST, "Sunrise", axis="x", ground="yes"),
        document("north", NORTH, "Pole star", axis="y", ground="yes"),
        document("up", UP, "Sky", axis="z"),
    )
    return name


def test_a_collection_is_made_once(door, operator, reader):
    name = new_name()
    made = create(door, operator, name)
    assert made.created
    assert made.collection.dimension == 3
    assert made.collection.model_id == MODEL
    assert made.collection.metric == vectors_pb2.METRIC_COSINE
    assert made.collection.document_count == 0

    again = create(door, operator, name)
    assert not again.created
    assert again.collection == made.collection
    assert listed(door, reader)[name] == made.collection


@pytest.mark.parametrize("other", [dict(model_id="other"), dict(dimension=4), dict(metric="METRIC_EUCLIDEAN")])
def test_what_a_collection_is_pinned_to_stays(door, operator, other):
    name = new_name()
    create(door, operator, name)
    with refused("ALREADY_EXISTS"):
        create(door, operator, name, **other)


def test_what_is_wrong_with_a_collection_is_named(door, operator):
    with invalid("name", "model_id", "dimension", "metric"):
        create(door, operator, "Medical Knowledge", model_id="", dimension=4097, metric="METRIC_UNSPECIFIED")


def test_documents_are_added_and_replaced(door, operator, reader, compass):
    answer = upsert(door, operator, compass, document("up", UP, "Clouds"), document("down", (0, 0, -1), "Roots"))
    assert (answer.inserted_count, answer.replaced_count) == (1, 1)
    matches = search(door, reader, compass, UP, position=answer.position).matches
    assert matches[0].content == "Clouds"
    assert matches[-1].id == "down"
    written = {match.id: match.document_position for match in matches}
    assert written.pop("up") == written.pop("down") == answer.position
    assert written and all(0 < position < answer.position for position in written.values())
    assert listed(door, reader)[compass].document_count == 4


def test_positions_grow_with_every_change(door, operator, reader, compass):
    first = upsert(door, operator, compass, document("a", NORTH_EAST)).position
    second = upsert(door, operator, compass, document("a", NORTH_EAST)).position
    third = delete(door, operator, compass, "a").position
    assert 0 < first < second < third
    assert listed(door, reader)[compass].position == third
    assert search(door, reader, compass, position=third).position >= third


def test_the_nearest_comes_first_with_its_cosine(door, reader, compass):
    matches = search(door, reader, compass, (2, 1, 0)).matches
    assert [match.id for match in matches] == ["east", "north", "up"]
    assert [match.score for match in matches] == pytest.approx([2 / 5**0.5, 1 / 5**0.5, 0], abs=1e-6)
    assert dict(matches[0].metadata) == {"axis": "x", "ground": "yes"}
    assert matches[0].content == "Sunrise"


@pytest.mark.parametrize(
    ("metric", "scores"),
    [("METRIC_INNER_PRODUCT", {"far": 6, "near": 2}), ("METRIC_EUCLIDEAN", {"near": -1, "far": -9})],
)
def test_other_metrics_say_nearer_with_a_larger_score(door, operator, reader, metric, scores):
    name = new_name()
    create(door, operator, name, metric=metric)
    # asked with (2, 0, 0): the long vector has the larger product and the larger distance
    upsert(door, operator, name, document("near", (1, 0, 0)), document("far", (3, 8**0.5, 0)))
    matches = search(door, reader, name, (2, 0, 0)).matches
    assert {match.id: match.score for match in matches} == pytest.approx(scores, rel=1e-5)
    assert [match.id for match in matches] == list(scores)


def test_a_limit_is_kept(door, reader, compass):
    assert found(door, reader, compass, limit=2) == found(door, reader, compass)[:2]
    assert len(found(door, reader, compass, limit=1000)) == 3


def test_a_filter_passes_what_has_all_its_entries(door, reader, compass):
    assert sorted(found(door, reader, compass, filter={"ground": "yes"})) == ["east", "north"]
    assert found(door, reader, compass, filter={"ground": "yes", "axis": "y"}) == ["north"]
    assert found(door, reader, compass, filter={"axis": "w"}) == []
    assert found(door, reader, compass, filter={"ground": ""}) == []


def test_deleted_documents_are_not_found(door, operator, reader, compass):
    answer = delete(door, operator, compass, "north", "nowhere")
    assert answer.deleted_count == 1
    assert found(door, reader, compass, NORTH, position=answer.position) != []
    assert "north" not in found(door, reader, compass, NORTH, position=answer.position)
    assert delete(door, operator, compass, "north").deleted_count == 0
    assert listed(door, reader)[compass].document_count == 2

    again = upsert(door, operator, compass, document("north", NORTH))
    assert again.inserted_count == 1
    assert found(door, reader, compass, NORTH, position=again.position)[0] == "north"


def test_an_empty_collection_has_nothing(door, operator, reader):
    name = new_name()
    create(door, operator, name)
    assert found(door, reader, name) == []


def test_what_is_wrong_with_documents_is_named_and_keeps_all_out(door, operator, reader, compass):
    with invalid("documents[1].id", "documents[2].embedding", "documents[3].embedding", "documents[4].id"):
        upsert(
            door,
            operator,
            compass,
            document("a", NORTH_EAST),
            document("", NORTH_EAST),
            document("c", (1, 0)),
            document("d", (0, 0, 0)),
            document("a", NORTH_EAST),
        )
    with invalid("documents[0].embedding"):
        upsert(door, operator, compass, document("a", (1, float("inf"), 0)))
    with invalid("documents"):
        upsert(door, operator, compass)
    assert listed(door, reader)[compass].document_count == 3


def test_what_is_wrong_with_a_search_is_named(door, reader, compass):
    with invalid("embedding", "limit", "ef_search", "min_position"):
        search(door, reader, compass, (1, 0), limit=1001, ef_search=10_001, position=-1)
    with invalid("collection"):
        search(door, reader, "No Such Name")


@pytest.mark.parametrize(
    "embedding", [(), (1, 0), (1, 0, 0, 0), (0, 0, 0), (float("nan"), 0, 1), (float("inf"), 0, 1), (0, 0, float("-inf"))]
)
def test_an_embedding_that_cannot_be_compared_is_named(door, operator, reader, compass, embedding):
    with invalid("embedding"):
        search(door, reader, compass, embedding)
    with invalid("documents[0].embedding"):
        upsert(door, operator, compass, document("a", embedding))


@pytest.mark.parametrize("limit", [-1, 1001, 1_000_000, 2**31 - 1, -(2**31)])
def test_a_limit_out_of_bounds_is_named(door, reader, compass, limit):
    with invalid("limit"):
        search(door, reader, compass, limit=limit)


def test_ids_out_of_bounds_are_named(door, operator, compass):
    with invalid("ids"):
        delete(door, operator, compass)
    with invalid("ids"):
        delete(door, operator, compass, *map(str, range(1001)))
    with invalid("ids[1]", "ids[2]"):
        delete(door, operator, compass, "east", "", "x" * 257)
    with invalid("documents[0].id", "documents[1].id"):
        upsert(door, operator, compass, document("", EAST), document("x" * 257, EAST))


def test_metadata_out_of_bounds_is_named(door, operator, compass):
    with invalid("documents[0].metadata", "documents[1].metadata", "documents[2].metadata"):
        upsert(
            door,
            operator,
            compass,
            document("many", EAST, **{f"key{number}": "" for number in range(65)}),
            document("large", EAST, key="x" * (8 << 10)),
            document("nameless", EAST, **{"": "x"}),
        )


def test_metadata_of_100_mb_is_refused_and_the_next_call_is_answered(door, operator, reader, compass):
    with refused("RESOURCE_EXHAUSTED"):
        upsert(door, operator, compass, document("huge", EAST, key="x" * (100 << 20)))
    assert found(door, reader, compass)[0] == "east"


def test_another_models_embeddings_are_refused(door, operator, reader, compass):
    with invalid("model_id") as refusal:
        search(door, reader, compass, model="other")
    assert MODEL in refusal.message and "other" in refusal.message
    with invalid("model_id"):
        upsert(door, operator, compass, document("a", EAST), model="other")


def test_a_collection_that_is_not_there_is_not_found(door, operator, reader):
    with refused("NOT_FOUND"):
        search(door, reader, new_name())
    with refused("NOT_FOUND"):
        upsert(door, operator, new_name(), document("a", EAST))
    with refused("NOT_FOUND"):
        delete(door, operator, new_name(), "a")


def test_a_position_that_is_not_reached_is_said_before_the_deadline(door, reader, compass):
    request = SearchRequest(collection=compass, model_id=MODEL, embedding=EAST, min_position=1 << 40)
    with refused("UNAVAILABLE") as refusal:
        reader.calls(door.vectors.Search, request, timeout=3)
    assert refusal.retry_seconds is not None
