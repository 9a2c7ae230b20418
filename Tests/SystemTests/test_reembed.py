"""Documents move to another embedding model by docs/operations.md's recipe, while they are searched for and written: no search fails, none
mixes the models, and everything that was acknowledged is in the new collection at the end.

HEARTGUARD_REEMBED_DOCUMENTS is how many documents there are, 600 if it is not set."""

import os
import random
import secrets
import threading

import grpc
import pytest
from client.refusals import refused
from heartguard.vectors.v1 import aliases_service_pb2 as aliases
from heartguard.vectors.v1 import index_service_pb2, transfer_service_pb2, vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as vectors
from load import Loop
from replica import VectorsReplica
from waiting import until

DOCUMENTS = int(os.environ.get("HEARTGUARD_REEMBED_DOCUMENTS", "600"))
# What searches may take: the recipe promises that they are answered, whatever the machine does besides.
PATIENCE = 30.0
OLD, NEW = "mini", "maxi"


def embed(model: str, id: str) -> list[float]:
    """Two models, of which neither knows anything of what the other does; a document is far from every other."""
    chance = random.Random(f"{model} {id}")
    return [chance.gauss(0, 1) for _ in range(8 if model == OLD else 12)]


class Searcher(Loop):
    """Looks for one document after the other by an alias, and sees which model's collection answers."""

    def __init__(self, name, person, stub, alias, model):
        super().__init__(name, pace=0.01)
        self._person, self._stub, self._alias = person, stub, alias
        self.model = model
        self.answers = {OLD: 0, NEW: 0}
        self._number = 0

    def step(self):
        # as it is now: the test may change it meanwhile
        model = self.model
        self._number = (self._number + 7) % DOCUMENTS
        id = str(self._number)
        request = vectors.SearchRequest(collection=self._alias, model_id=model, embedding=embed(model, id), limit=3)
        answer = self._person.calls(self._stub.Search, request, timeout=PATIENCE)
        assert answer.collection.endswith(model), f"{answer.collection} answered a search for {model}"
        assert answer.matches[0].id == id, f"{answer.matches[0].id} was found for {id}"
        assert abs(answer.matches[0].score - 1) < 1e-4
        self.answers[model] += 1


class Writer(Loop):
    """Adds, replaces and deletes documents by the alias, with the model that the alias says."""

    def __init__(self, operator, door, alias):
        super().__init__("writer", pace=0.4)
        self._operator, self._door, self._alias = operator, door, alias
        self.model = OLD
        self.kept: dict[str, str | None] = {}
        self._number = 0

    def step(self):
        self._number += 1
        if self._number % 4 == 0:
            id = str(DOCUMENTS + self._number - 2)
            request = vectors.DeleteDocumentsRequest(collection=self._alias, ids=[id])
            self._operator.calls(self._door.vectors.DeleteDocuments, request, timeout=PATIENCE)
            self.kept[id] = None
            return
        id, content = str(DOCUMENTS + self._number), f"written as number {self._number}"
        while True:
            document = vectors_pb2.Document(id=id, content=content, embedding=embed(self.model, id))
            request = vectors.UpsertDocumentsRequest(collection=self._alias, model_id=self.model, documents=[document])
            try:
                self._operator.calls(self._door.vectors.UpsertDocuments, request, timeout=PATIENCE)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.INVALID_ARGUMENT or self.model == NEW:
                    raise
                # the alias leads to a collection of another model by now
                listed = self._operator.calls(self._door.aliases.ListAliases, aliases.ListAliasesRequest()).aliases
                self.model = next(alias.model_id for alias in listed if alias.name == self._alias)
                continue
            self.kept[id] = content
            return


def copy_changes(door, operator, old: str, new: str, position: int) -> int:
    """Brings what changed in a collection behind a position into another, embedded anew. How far it has come."""
    request = transfer_service_pb2.ExportDocumentsRequest(collection=old, changed_after=position, without_embeddings=True)
    for message in door.transfer.ExportDocuments(request, metadata=operator.metadata, timeout=300):
        if message.deleted_ids:
            gone = vectors.DeleteDocumentsRequest(collection=new, ids=message.deleted_ids)
            operator.calls(door.vectors.DeleteDocuments, gone, timeout=PATIENCE)
        if message.documents:
            for document in message.documents:
                document.embedding.extend(embed(NEW, document.id))
            added = vectors.UpsertDocumentsRequest(collection=new, model_id=NEW, documents=message.documents)
            operator.calls(door.vectors.UpsertDocuments, added, timeout=PATIENCE)
        position = max(position, message.position)
    return position


@pytest.fixture
def alias(direct, operator):
    """An alias of a collection that is full."""
    name = f"reembed_{secrets.token_hex(4)}"
    for model in (OLD, NEW):
        made = vectors.CreateCollectionRequest(
            name=f"{name}_{model}", model_id=model, dimension=len(embed(model, "0")), metric=vectors_pb2.METRIC_COSINE
        )
        operator.calls(direct.vectors.CreateCollection, made)
    operator.calls(direct.aliases.CreateAlias, aliases.CreateAliasRequest(name=name, collection=f"{name}_{OLD}"))
    for start in range(0, DOCUMENTS, 200):
        request = vectors.UpsertDocumentsRequest(collection=name, model_id=OLD)
        for number in range(start, min(DOCUMENTS, start + 200)):
            request.documents.add(id=str(number), content=f"Document {number}", embedding=embed(OLD, str(number)))
        operator.calls(direct.vectors.UpsertDocuments, request, timeout=PATIENCE)
    yield name
    operator.calls(direct.aliases.DeleteAlias, aliases.DeleteAliasRequest(name=name))
    operator.calls(direct.vectors.DeleteCollection, vectors.DeleteCollectionRequest(collection=f"{name}_{NEW}"))


def serves(replica, operator, name, position=0):
    try:
        listed = operator.calls(replica.indexes.ListIndexes, index_service_pb2.ListIndexesRequest()).indexes
    except grpc.RpcError:
        return False
    serving = [index for index in listed if index.state == index_service_pb2.INDEX_STATE_SERVING]
    return any(index.collection == name and index.position >= position for index in serving)


def position_of(door, operator, name) -> int:
    listed = operator.calls(door.vectors.ListCollections, vectors.ListCollectionsRequest()).collections
    return next(collection.position for collection in listed if collection.name == name)


def test_documents_are_embedded_anew_while_they_are_searched_and_written(cluster, direct, operator, reader, alias, tmp_path):
    old, new = f"{alias}_{OLD}", f"{alias}_{NEW}"
    with VectorsReplica(cluster, tmp_path) as replica:
        until(lambda: serves(replica, operator, old) and serves(replica, operator, new), "both replicas serve")
        stubs = {"first": direct.vectors, "second": replica.vectors}
        late = [Searcher(f"late at the {place}", reader, stub, alias, OLD) for place, stub in stubs.items()]
        early = [Searcher(f"early at the {place}", reader, stub, alias, OLD) for place, stub in stubs.items()]
        writer = Writer(operator, direct, alias)
        loops = [*late, *early, writer]
        for loop in loops:
            loop.start()
        until(lambda: len(writer.kept) > 3 and all(loop.answers[OLD] > 20 for loop in late + early), "there is load")

        # the recipe
        position = copy_changes(direct, operator, old, new, 0)
        filled = position_of(direct, operator, new)
        until(lambda: all(serves(place, operator, new, filled) for place in (direct, replica)), "both replicas have it")
        attempts = 0
        while True:
            attempts += 1
            assert attempts < 100, "what is written all the time can only be caught up with while writers are held"
            position = copy_changes(direct, operator, old, new, position)
            swap = aliases.UpdateAliasRequest(name=alias, collection=new, copied_position=position)
            try:
                swapped = operator.calls(direct.aliases.UpdateAlias, swap, timeout=PATIENCE).alias
                break
            except grpc.RpcError as error:
                assert error.code() in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.UNAVAILABLE), error

        assert swapped.previous_collection == old
        for searcher in early:
            searcher.model = NEW
        # the second replica need not have heard of it
        request = vectors.SearchRequest(
            collection=alias, model_id=NEW, embedding=embed(NEW, "5"), min_position=swapped.position, limit=1
        )
        answer = reader.calls(replica.vectors.Search, request, timeout=PATIENCE)
        assert (answer.collection, answer.matches[0].id) == (new, "5")
        seen = {searcher: searcher.answers[OLD] for searcher in late}
        written = len(writer.kept)
        until(
            lambda: all(searcher.answers[NEW] > 20 for searcher in early)
            and all(searcher.answers[OLD] > seen[searcher] + 20 for searcher in late)
            and len(writer.kept) > written + 3,
            "everybody goes on",
        )
        assert writer.model == NEW
        # a process that still embeds with the model of before is answered until the collection of before is deleted
        for searcher in late:
            searcher.stop()
        dropped = vectors.DeleteCollectionRequest(collection=old)
        operator.calls(direct.vectors.DeleteCollection, dropped, timeout=PATIENCE)
        seen = {searcher: searcher.answers[NEW] for searcher in early}
        until(lambda: all(searcher.answers[NEW] > seen[searcher] + 20 for searcher in early), "the new one goes on")
        for loop in (*early, writer):
            loop.stop()

        answers = sum(sum(searcher.answers.values()) for searcher in late + early)
        print(f"\n{DOCUMENTS} documents, {answers} searches, {len(writer.kept)} writes, {attempts} attempts at the swap")
        assert [fault for loop in loops for fault in loop.faults] == []
        request.model_id, request.min_position = OLD, 0
        request.embedding[:] = embed(OLD, "5")

        def is_refused():
            try:
                reader.calls(replica.vectors.Search, request)
            except grpc.RpcError as error:
                return error.code() == grpc.StatusCode.INVALID_ARGUMENT
            return False

        until(is_refused, "the model of before is refused")

    # everything that was acknowledged, in the new collection, embedded by the new model
    kept = {str(number): f"Document {number}" for number in range(DOCUMENTS)} | writer.kept
    export = transfer_service_pb2.ExportDocumentsRequest(collection=alias)
    found = {}
    for message in direct.transfer.ExportDocuments(export, metadata=operator.metadata, timeout=300):
        for document in message.documents:
            found[document.id] = document.content
            assert list(document.embedding) == pytest.approx(embed(NEW, document.id), abs=1e-6)
    assert found == {id: content for id, content in kept.items() if content is not None}
    with refused("NOT_FOUND"):
        operator.calls(direct.vectors.DeleteCollection, dropped)
