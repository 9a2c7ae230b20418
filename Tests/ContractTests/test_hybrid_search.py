"""Search by words, and by words and meaning together, over the real texts."""

import secrets
import statistics

import pytest
from client import medical, people
from client.refusals import invalid
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as service
from heartguard.vectors.v1.filter_pb2 import Filter, KeyEquals, MetadataValue
from test_search_recall import collection, search  # noqa: F401

ONE, OTHER = (1, 0), (0, 1)
MODEL = "two-d"


def words(door, person, name, text, **fields):
    request = service.SearchRequest(collection=name, model_id=MODEL, query_text=text, **fields)
    return [match.id for match in person.calls(door.vectors.Search, request).matches]


@pytest.fixture
def notes(door, operator):
    name = f"contract_{secrets.token_hex(6)}"
    created = service.CreateCollectionRequest(name=name, model_id=MODEL, dimension=2, metric="METRIC_COSINE")
    operator.calls(door.vectors.CreateCollection, created)
    contents = {
        "I21.4": "Non-ST elevation (NSTEMI) myocardial infarction",
        "I48.91": "Unspecified atrial fibrillation",
        "menière": "Ménière's disease; H₂O; 心臓病",
        "empty": "",
        "dots": "... — ?!",
        "stop": "the of and",
        "long": "syncope " * 4000,
    }
    request = service.UpsertDocumentsRequest(collection=name, model_id=MODEL)
    for place, (id, content) in enumerate(contents.items()):
        request.documents.add(id=id, content=content, embedding=[1, place], metadata={"place": str(place)})
    operator.calls(door.vectors.UpsertDocuments, request)
    return name


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("I21.4", ["I21.4"]),
        ("i21", ["I21.4"]),
        ("st-elevation", ["I21.4"]),
        ("(nstemi)", ["I21.4"]),
        ("MENIERE", ["menière"]),
        ("h2o", ["menière"]),
        ("心臓", ["menière"]),
        ("empty", ["empty"]),
        ("the", ["stop"]),
        ("syncope", ["long"]),
        ("syncop", []),
        ("?!", []),
        ("warfarin", []),
    ],
)
def test_words_find_what_holds_them(door, reader, notes, text, ids):
    assert words(door, reader, notes, text) == ids


def test_words_that_find_nothing_leave_the_embedding_alone(door, reader, notes):
    alone = service.SearchRequest(collection=notes, model_id=MODEL, embedding=ONE, limit=3)
    expected = [match.id for match in reader.calls(door.vectors.Search, alone).matches]
    for text in ("?!", "warfarin"):
        assert words(door, reader, notes, text, embedding=ONE, limit=3) == expected


def test_a_filter_holds_for_words(door, reader, notes):
    where = Filter(equals=KeyEquals(key="place", value=MetadataValue(text="1")))
    assert words(door, reader, notes, "fibrillation I21.4", where=where) == ["I48.91"]
    assert words(door, reader, notes, "I21.4", where=where) == []
    assert words(door, reader, notes, "I21.4", where=where, embedding=ONE) == ["I48.91"]


def test_words_follow_changes(door, operator, reader, notes):
    changed = vectors_pb2.Document(id="I21.4", content="warfarin", embedding=ONE)
    request = service.UpsertDocumentsRequest(collection=notes, model_id=MODEL, documents=[changed])
    position = operator.calls(door.vectors.UpsertDocuments, request).position
    assert words(door, reader, notes, "warfarin", min_position=position) == ["I21.4"]
    assert words(door, reader, notes, "nstemi", min_position=position) == []
    deletion = service.DeleteDocumentsRequest(collection=notes, ids=["I21.4"])
    position = operator.calls(door.vectors.DeleteDocuments, deletion).position
    assert words(door, reader, notes, "warfarin", min_position=position) == []


def test_what_is_wrong_with_words_and_weights_is_named(door, operator, reader, notes):
    with invalid("query_text"):
        words(door, reader, notes, "x" * 4097)
    with invalid("query_text"):
        words(door, reader, notes, "syncope " * (100 << 7), embedding=ONE)
    with invalid("embedding"):
        words(door, reader, notes, "")
    for one, other in ((-1, 1), (0, 0), (float("nan"), 1), (1, float("inf"))):
        with invalid("weights"):
            weights = service.RankingWeights(embedding=one, text=other)
            words(door, reader, notes, "syncope", embedding=ONE, weights=weights)
    with invalid("documents[0].content"):
        large = vectors_pb2.Document(id="large", content="syncope " * (100 << 7), embedding=ONE)
        request = service.UpsertDocumentsRequest(collection=notes, model_id=MODEL, documents=[large])
        operator.calls(door.vectors.UpsertDocuments, request)


def reciprocal_rank(answer, target: str) -> float:
    ids = [match.id for match in answer.matches]
    return 1 / (ids.index(target) + 1) if target in ids else 0


def test_known_items_are_found_better_by_both_than_by_either(front, direct, collection):  # noqa: F811
    items = medical.known_items()
    assert len(items) == 180

    def mean(**parts) -> float:
        # All three rankings are more in a minute than one person may ask for.
        reader = people.register(direct.users)
        ranks = []
        for item in items:
            fields = {"query_text": item["text"]} if "text" in parts else {}
            embedding = item["embedding"] if "embedding" in parts else ()
            ranks.append(reciprocal_rank(search(front, reader, collection, embedding, **fields), item["target"]))
        return statistics.mean(ranks)

    by_meaning, by_words, by_both = mean(embedding=True), mean(text=True), mean(embedding=True, text=True)
    print(f"MRR at 10: embeddings {by_meaning:.3f}, words {by_words:.3f}, both {by_both:.3f}")
    assert by_both > max(by_meaning, by_words)
    assert by_both >= 0.92
