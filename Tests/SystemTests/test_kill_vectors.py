"""kill -9 of Vectors at random moments while documents come, change and go and snapshots of the indexes are written: whatever was
acknowledged is as it was acknowledged.

HEARTGUARD_KILL_POINTS is how many times, 20 if it is not set."""

import os
import random
import secrets
import threading
import time

import grpc
from client.people import PATIENCE, log_in
from heartguard.vectors.v1.index_service_pb2 import ListIndexesRequest
from heartguard.vectors.v1.vectors_service_pb2 import (
    CreateCollectionRequest,
    DeleteDocumentsRequest,
    SearchRequest,
    UpsertDocumentsRequest,
)
from replica import VectorsReplica
from waiting import until

KILL_POINTS = int(os.environ.get("HEARTGUARD_KILL_POINTS", "20"))
MODEL = "two-d"
IDS = 300


class Keeper:
    """One who writes a collection and knows what must be in it: each call is made again until it is acknowledged."""

    def __init__(self, vectors, users, operator, seed: int):
        self.vectors, self._users, self.operator = vectors, users, operator
        self._signed_in = time.monotonic()
        self.name = f"killed_{secrets.token_hex(6)}"
        self.random = random.Random(seed)
        self.documents: dict[str, str] = {}
        self.position = 0
        self.acknowledged = 0
        self.refusals: set[str] = set()
        self.wrong: list[Exception] = []
        # held for the length of a change, so that whoever holds it sees a collection that nobody changes
        self.still = threading.Lock()
        self._stopped = threading.Event()
        self._running = threading.Thread(target=self._run)
        created = CreateCollectionRequest(name=self.name, model_id=MODEL, dimension=2, metric="METRIC_EUCLIDEAN")
        self._insist(vectors.CreateCollection, created)

    def _sign_in(self):
        self.operator = log_in(self._users, self.operator.email, self.operator.password)
        self._signed_in = time.monotonic()

    def __enter__(self):
        self._running.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._running.join()

    def _insist(self, method, request):
        while True:
            try:
                return self.operator.calls(method, request, timeout=PATIENCE)
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.UNAUTHENTICATED and time.monotonic() - self._signed_in > 60:
                    # A long run outlives a token.
                    self._sign_in()
                    continue
                self.refusals.add(error.code().name)
                if error.code().name not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "UNKNOWN", "CANCELLED"):
                    raise
                self._stopped.wait(0.02)

    def _run(self):
        try:
            while not self._stopped.is_set():
                with self.still:
                    self._change()
                self._stopped.wait(0.002)
        except Exception as error:  # told by the test, whose thread this is not
            self.wrong.append(error)

    def _change(self):
        ids = self.random.sample(range(IDS), self.random.randint(1, 25))
        if self.random.random() < 0.3:
            request = DeleteDocumentsRequest(collection=self.name, ids=[str(id) for id in ids])
            self.position = self._insist(self.vectors.DeleteDocuments, request).position
            for id in ids:
                self.documents.pop(str(id), None)
        else:
            version = secrets.token_hex(6)
            new = {str(id): f"Document {id}, version {version}" for id in ids}
            request = UpsertDocumentsRequest(collection=self.name, model_id=MODEL)
            for id, content in new.items():
                request.documents.add(id=id, content=content, embedding=[int(id), self.random.random()])
            self.position = self._insist(self.vectors.UpsertDocuments, request).position
            self.documents |= new
        self.acknowledged += 1

    def check(self):
        """All that must be there is found, as it was last written, and nothing else."""
        with self.still:
            request = SearchRequest(
                collection=self.name, model_id=MODEL, embedding=[1, 1], limit=1000, min_position=self.position
            )
            answer = self._insist(self.vectors.Search, request)
            assert {match.id: match.content for match in answer.matches} == self.documents
            for id, content in self.random.sample(sorted(self.documents.items()), min(3, len(self.documents))):
                by_words = SearchRequest(
                    collection=self.name,
                    model_id=MODEL,
                    query_text=content.split()[-1],
                    limit=1000,
                    min_position=self.position,
                )
                assert id in [match.id for match in self._insist(self.vectors.Search, by_words).matches]
            return answer.degraded


def test_what_was_acknowledged_is_there_whenever_vectors_is_killed(cluster, direct, operator, tmp_path):
    moments = random.Random(7)
    with VectorsReplica(cluster, tmp_path) as replica:
        with Keeper(replica.vectors, direct.users, operator, 1) as one, Keeper(replica.vectors, direct.users, operator, 2) as two:
            for _ in range(KILL_POINTS):
                seen = {keeper: keeper.acknowledged for keeper in (one, two)}
                for keeper, before in seen.items():
                    until(lambda: keeper.acknowledged > before + 1 or keeper.wrong, "documents are written")
                threading.Event().wait(moments.random() * 0.4)
                replica.kill()
                replica.start()
                for keeper in (one, two):
                    assert keeper.wrong == []
                    keeper.check()
        assert one.wrong == two.wrong == []
        assert one.refusals | two.refusals, "nobody noticed that vectors was killed"
        for keeper in (one, two):
            keeper.check()
            # What was never killed has the same.
            keeper.vectors = direct.vectors
            keeper.check()
        told = one.operator.calls(replica.indexes.ListIndexes, ListIndexesRequest(), timeout=PATIENCE).indexes
        assert {one.name, two.name} <= {index.collection for index in told}

    said = replica.said()
    written = said.count("snapshot written")
    damaged = sum("a snapshot is not used" in line and (one.name in line or two.name in line) for line in said.splitlines())
    used = sum("index built" in line and '"snapshot_position":"0"' not in line for line in said.splitlines())
    print(f"\n{KILL_POINTS} kills, {one.acknowledged + two.acknowledged} changes, {written} snapshots written, {used} used")
    # A kill in the middle of writing leaves the snapshot that was there.
    assert damaged == 0
    assert written > 0 and used > 0
