"""Search over real texts, against an exact search of our own."""

import secrets

import grpc
import pytest
from client import medical
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1.vectors_service_pb2 import (
    CreateCollectionRequest,
    DeleteDocumentsRequest,
    SearchRequest,
    UpsertDocumentsRequest,
)

LIMIT = 10


@pytest.fixture(scope="module")
def collection(front, operator):
    """All medical texts, in batches as large as may be. Its name, and the position that holds them all."""
    name = f"contract_medical_{secrets.token_hex(6)}"
    created = CreateCollectionRequest(
        name=name, model_id=medical.MODEL, dimension=medical.DIMENSION, metric="METRIC_COSINE"
    )
    operator.calls(front.vectors.CreateCollection, created)
    texts = medical.documents()
    inserted, position = 0, 0
    for start in range(0, len(texts), 500):
        batch = [
            vectors_pb2.Document(
                id=text["id"],
                content=text["content"],
                embedding=text["embedding"],
                metadata={"source": text["source"], "title": text["title"]},
            )
            for text in texts[start : start + 500]
        ]
        request = UpsertDocumentsRequest(collection=name, model_id=medical.MODEL, documents=batch)
        answer = operator.calls(front.vectors.UpsertDocuments, request, timeout=60)
        inserted, position = inserted + answer.inserted_count, answer.position
    assert inserted == len(texts)
    return name, position


def search(door, person, collection, embedding, **fields):
    """A debug build makes its index slower than a search may wait for it, so this asks again while it is behind."""
    name, position = collection
    request = SearchRequest(
        collection=name, model_id=medical.MODEL, embedding=embedding, limit=LIMIT, min_position=position, **fields
    )
    for attempt in range(60):
        try:
            return person.calls(door.vectors.Search, request)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or attempt == 59:
                raise


def recall(answers, truths) -> float:
    hits = sum(
        len({match.id for match in answer.matches} & {id for _, id in truth})
        for answer, truth in zip(answers, truths, strict=True)
    )
    return hits / sum(len(truth) for truth in truths)


def test_search_finds_what_is_truly_nearest(door, reader, collection):
    embeddings = [question["embedding"] for question in medical.questions()]
    truths = [medical.nearest(embedding, LIMIT) for embedding in embeddings]
    answers = [search(door, reader, collection, embedding) for embedding in embeddings]
    assert len(answers) == 40
    assert recall(answers, truths) >= 0.95

    exact = {text["id"]: text for text in medical.documents()}
    for embedding, answer in zip(embeddings, answers, strict=True):
        scores = [match.score for match in answer.matches]
        assert scores == sorted(scores, reverse=True)
        true_scores = [medical.cosine(embedding, exact[match.id]["embedding"]) for match in answer.matches]
        assert scores == pytest.approx(true_scores, abs=1e-3)
        assert [match.content for match in answer.matches] == [exact[match.id]["content"] for match in answer.matches]


@pytest.mark.parametrize("source", ["chebi", "icd10cm"])
def test_a_filter_narrows_the_search_and_costs_no_recall(door, reader, collection, source):
    among = [text for text in medical.documents() if text["source"] == source]
    embeddings = [question["embedding"] for question in medical.questions()]
    truths = [medical.nearest(embedding, LIMIT, among) for embedding in embeddings]
    answers = [search(door, reader, collection, embedding, filter={"source": source}) for embedding in embeddings]
    for answer in answers:
        assert len(answer.matches) == LIMIT
        assert {match.metadata["source"] for match in answer.matches} == {source}
    assert recall(answers, truths) >= 0.95


def test_a_text_is_found_by_its_own_embedding(door, reader, collection):
    for text in medical.documents()[::400]:
        best = search(door, reader, collection, text["embedding"]).matches[0]
        assert best.score == pytest.approx(1, abs=1e-3)
        # two texts may say the same and lie in one place
        assert best.id == text["id"] or best.content == text["content"]


def test_texts_that_were_deleted_are_not_found_and_their_neighbours_are(front, reader, operator, collection):
    name, _ = collection
    question = medical.questions()[0]["embedding"]
    gone = [id for _, id in medical.nearest(question, LIMIT)]
    request = DeleteDocumentsRequest(collection=name, ids=gone)
    position = operator.calls(front.vectors.DeleteDocuments, request).position

    rest = [text for text in medical.documents() if text["id"] not in gone]
    answer = search(front, reader, (name, position), question)
    assert not {match.id for match in answer.matches} & set(gone)
    assert recall([answer], [medical.nearest(question, LIMIT, rest)]) >= 0.9
