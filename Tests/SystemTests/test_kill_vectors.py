"""kill -9 of Vectors at random moments while documents come, change and go and snapshots of the indexes are written: whatever was
acknowledged is as it was acknowledged.

HEARTGUARD_KILL_POINTS is how many times, 12 if it is not set."""

import os
import pathlib
import random
import secrets
import threading

import grpc
import pytest
from client.people import PATIENCE
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1.index_service_pb2 import ListIndexesRequest
from heartguard.vectors.v1.vectors_service_pb2 import (
    CreateCollectionRequest,
    DeleteDocumentsRequest,
    SearchRequest,
    UpsertDocumentsRequest,
)
from processes import kill, pid_of
from waiting import until

KILL_POINTS = int(os.environ.get("HEARTGUARD_KILL_POINTS", "12"))
MODEL = "two-d"
IDS = 300


class Keeper:
    """One who writes a collection and knows what must be in it: each call is made again until it is acknowledged."""

    def __init__(self, vectors, operator, seed: int):
        self.vectors, self.operator = vectors, operator
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
                    collection=self.name, model_id=MODEL, query_text=content.split()[-1], min_position=self.position
                )
                assert id in [match.id for match in self._insist(self.vectors.Search, by_words).matches]
            return answer.degraded


@pytest.fixture
def log(cluster):
    """What Vectors has said since the test began."""
    file = pathlib.Path(cluster.logs) / "vectors.log"
    seen = file.stat().st_size
    return lambda: file.read_bytes()[seen:].decode(errors="replace")


def test_what_was_acknowledged_is_there_whenever_vectors_is_killed(cluster, direct, operator, log):
    moments = random.Random(7)
    degraded = 0
    with Keeper(direct.vectors, operator, 1) as one, Keeper(direct.vectors, operator, 2) as two:
        for _ in range(KILL_POINTS):
            seen = {keeper: keeper.acknowledged for keeper in (one, two)}
            for keeper, before in seen.items():
                until(lambda: keeper.acknowledged > before + 1 or keeper.wrong, "documents are written")
            threading.Event().wait(moments.random() * 0.4)
            killed = kill(cluster, "vectors")
            until(lambda: pid_of(cluster, "vectors") not in (None, killed), "vectors is started again", every=0.05)
            for keeper in (one, two):
                assert keeper.wrong == []
                degraded += keeper.check()
        indexes = {index.collection: index for index in one._insist(direct.indexes.ListIndexes, ListIndexesRequest()).indexes}
        assert {one.name, two.name} <= set(indexes)
    assert one.wrong == two.wrong == []
    assert one.refusals | two.refusals, "nobody noticed that vectors was killed"
    for keeper in (one, two):
        keeper.check()

    said = log()
    written, damaged = said.count('"snapshot written"'), said.count("a snapshot is not used")
    used = sum('"index built"' in line and '"snapshot_position":"0"' not in line for line in said.splitlines())
    print(f"\n{KILL_POINTS} kills, {one.acknowledged + two.acknowledged} changes, {written} snapshots written, {used} used, {degraded} degraded")
    # A kill in the middle of writing leaves the snapshot that was there.
    assert damaged == 0
    assert written > 0 and used > 0
