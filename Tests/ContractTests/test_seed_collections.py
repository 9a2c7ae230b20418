"""The collections that the schema brings: each in its own space, searched as any other."""

import random
import secrets

import pytest
from client.refusals import invalid, refused
from heartguard.vectors.v1 import filter_pb2, vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as service

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
SEEDS = {
    "medical_knowledge": (MINILM, 384),
    "drug_interactions": (MINILM, 384),
    "symptoms_conditions": (MINILM, 384),
    "medical_text_768": ("ncbi/MedCPT-Query-Encoder", 768),
    "medical_images_1152": ("google/siglip-so400m-patch14-384", 1152),
}


@pytest.fixture
def shelve(direct, operator):
    """Puts documents into collections and takes them out again."""
    put = []

    def shelve(door, name, *documents):
        put.append((name, [document.id for document in documents]))
        request = service.UpsertDocumentsRequest(collection=name, model_id=SEEDS[name][0], documents=documents)
        return operator.calls(door.vectors.UpsertDocuments, request).position

    yield shelve
    for name, ids in put:
        operator.calls(direct.vectors.DeleteDocuments, service.DeleteDocumentsRequest(collection=name, ids=ids))


def vector(name: str, chance: random.Random) -> list[float]:
    return [chance.gauss(0, 1) for _ in range(SEEDS[name][1])]


def search(door, person, name, embedding=(), *, model=None, **fields):
    request = service.SearchRequest(collection=name, model_id=model or SEEDS[name][0], embedding=embedding, **fields)
    return person.calls(door.vectors.Search, request).matches


def test_each_is_there_and_pinned(door, reader, operator):
    listed = reader.calls(door.vectors.ListCollections, service.ListCollectionsRequest()).collections
    pins = {c.name: (c.model_id, c.dimension, c.metric) for c in listed if c.name in SEEDS}
    assert pins == {name: (*pin, vectors_pb2.METRIC_COSINE) for name, pin in SEEDS.items()}
    for name, (model, dimension) in SEEDS.items():
        same = service.CreateCollectionRequest(
            name=name, model_id=model, dimension=dimension, metric=vectors_pb2.METRIC_COSINE
        )
        assert not operator.calls(door.vectors.CreateCollection, same).created
        same.dimension = 2
        with refused("ALREADY_EXISTS") as refusal:
            operator.calls(door.vectors.CreateCollection, same)
        assert model in refusal.message


@pytest.mark.parametrize("name", SEEDS)
def test_each_is_searched_by_meaning_words_and_filters(door, reader, operator, shelve, name):
    chance = random.Random(1)
    mark = f"mark{secrets.token_hex(6)}"
    severity = lambda number: {"severity": filter_pb2.MetadataValue(number=number)}
    documents = [
        vectors_pb2.Document(
            id=f"{mark}-{number}",
            content=f"what {mark} and number{number} are",
            embedding=vector(name, chance),
            metadata={"category": mark},
            typed_metadata=severity(number % 3),
        )
        for number in range(9)
    ]
    position = shelve(door, name, *documents)
    mine = filter_pb2.Filter(
        equals=filter_pb2.KeyEquals(key="category", value=filter_pb2.MetadataValue(text=mark))
    )

    (first, *_) = search(door, reader, name, documents[4].embedding, min_position=position, limit=1)
    assert (first.id, first.content) == (documents[4].id, documents[4].content)
    assert first.typed_metadata["severity"].number == 1
    severe = filter_pb2.Filter(range=filter_pb2.KeyRange(key="severity", at_least=filter_pb2.MetadataValue(number=2)))
    both = filter_pb2.Filter(all_of=filter_pb2.Filters(filters=[mine, severe]))
    found = search(door, reader, name, documents[0].embedding, limit=100, where=both)
    assert {match.id for match in found} == {f"{mark}-{number}" for number in (2, 5, 8)}
    assert search(door, reader, name, query_text=f"{mark} number7", limit=1)[0].id == f"{mark}-7"
    hybrid = search(door, reader, name, documents[7].embedding, query_text=f"{mark} number7", limit=1)
    assert hybrid[0].id == f"{mark}-7"
    gone = operator.calls(door.vectors.DeleteDocuments, service.DeleteDocumentsRequest(collection=name, where=both))
    assert gone.deleted_count == 3
    left = search(door, reader, name, documents[0].embedding, limit=100, where=mine, min_position=gone.position)
    assert len(left) == 6


def test_a_tables_name_leads_to_its_collection(door, reader, shelve):
    chance = random.Random(secrets.randbits(64))
    name, id = "drug_interactions", f"pair-{secrets.token_hex(6)}"
    document = vectors_pb2.Document(id=id, content="warfarin, ibuprofen", embedding=vector(name, chance))
    position = shelve(door, name, document)
    request = service.SearchRequest(
        collection=f"vector_{name}", model_id=MINILM, embedding=document.embedding, limit=1, min_position=position
    )
    answer = reader.calls(door.vectors.Search, request)
    assert (answer.collection, answer.matches[0].id) == (name, id)


def test_one_id_is_a_text_and_an_image(door, reader, shelve):
    chance = random.Random(2)
    id = f"atlas-{secrets.token_hex(6)}"
    spaces = {"medical_text_768": "an enlarged heart", "medical_images_1152": "radiograph of the chest"}
    for name, content in spaces.items():
        embedding = vector(name, chance)
        document = vectors_pb2.Document(id=id, content=content, embedding=embedding)
        position = shelve(door, name, document)
        (match, *_) = search(door, reader, name, embedding, limit=1, min_position=position)
        assert (match.id, match.content) == (id, content)


def test_another_space_is_refused_and_both_are_named(door, reader):
    text, image = SEEDS["medical_text_768"][0], SEEDS["medical_images_1152"][0]
    with invalid("model_id") as refusal:
        search(door, reader, "medical_images_1152", [1.0] * 768, model=text)
    assert text in refusal.message and image in refusal.message
    with invalid("embedding"):
        search(door, reader, "medical_images_1152", [1.0] * 768)
