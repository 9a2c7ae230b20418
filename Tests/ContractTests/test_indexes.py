"""How the indexes are, as operators are told, and what a search says of how it was answered."""

import secrets
import time

import pytest
from client.refusals import refused
from heartguard.vectors.v1 import index_service_pb2 as indexes
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1.vectors_service_pb2 import CreateCollectionRequest, SearchRequest, UpsertDocumentsRequest


@pytest.fixture(scope="module")
def collection(front, operator):
    name = f"contract_{secrets.token_hex(6)}"
    created = CreateCollectionRequest(name=name, model_id="two-d", dimension=2, metric="METRIC_COSINE")
    operator.calls(front.vectors.CreateCollection, created)
    documents = [
        vectors_pb2.Document(id=f"{n}", content=f"Document {n}", embedding=[1, n], metadata={"half": f"{n % 2}"})
        for n in range(60)
    ]
    request = UpsertDocumentsRequest(collection=name, model_id="two-d", documents=documents)
    return name, operator.calls(front.vectors.UpsertDocuments, request).position


def test_an_operator_sees_the_index_of_each_collection(door, operator, collection):
    name, position = collection
    for _ in range(200):
        listed = operator.calls(door.indexes.ListIndexes, indexes.ListIndexesRequest()).indexes
        mine = next(index for index in listed if index.collection == name)
        if mine.state == indexes.INDEX_STATE_SERVING and mine.position >= position and mine.HasField("snapshot"):
            break
        time.sleep(0.1)

    assert [index.collection for index in listed] == sorted(index.collection for index in listed)
    assert mine.state == indexes.INDEX_STATE_SERVING
    assert (mine.document_count, mine.position, mine.unreadable_count) == (60, position, 0)
    assert mine.byte_count > 60 * 8
    assert mine.digest != 0
    assert mine.snapshot.byte_count > mine.byte_count / 2
    assert 0 < mine.snapshot.position <= position
    assert abs(mine.snapshot.written_at.ToSeconds() - time.time()) < 300
    assert mine.snapshot_problem == ""


def test_searches_are_repeated_exactly_and_what_they_found_is_told(door, operator, reader, collection):
    name, position = collection
    told = {}
    for _ in range(300):
        search = SearchRequest(collection=name, model_id="two-d", embedding=[1, 7], limit=5, min_position=position)
        answer = reader.calls(door.vectors.Search, search)
        assert not answer.degraded
        search.filter["half"] = "1"
        reader.calls(door.vectors.Search, search)
        recalls = operator.calls(door.indexes.ListSearchRecall, indexes.ListSearchRecallRequest()).recalls
        told = {recall.selectivity: recall for recall in recalls if recall.collection == name}
        if len(told) == 2:
            break
        time.sleep(0.1)

    assert set(told) == {indexes.FILTER_SELECTIVITY_NONE, indexes.FILTER_SELECTIVITY_ABOVE_TENTH}
    for recall in told.values():
        assert recall.recall == 1, "sixty documents are all compared"
        assert recall.sample_count >= recall.recent_count >= 1
        assert abs(recall.sampled_at.ToSeconds() - time.time()) < 300


def test_nobody_else_is_told(door, reader):
    for method, request in (
        (door.indexes.ListIndexes, indexes.ListIndexesRequest()),
        (door.indexes.ListSearchRecall, indexes.ListSearchRecallRequest()),
    ):
        with refused("PERMISSION_DENIED"):
            reader.calls(method, request)


def test_in_json(json_door, operator, collection):
    listed = json_door.answers(indexes.ListIndexesResponse, "GET", "/v1/indexes", person=operator)
    assert collection[0] in [index.collection for index in listed.indexes]
    json_door.answers(indexes.ListSearchRecallResponse, "GET", "/v1/indexes/recall", person=operator)
