#!/usr/bin/env python3
"""Whether Vectors gives back what it took: for an hour collections are made, filled, searched, emptied by half, filled again and dropped, beside one that lasts,
whose documents are replaced at random. What users of other stores report is memory that grows with every query, that no deletion frees, and files that stay.

Expected, before measuring. A collection of 2,000 documents of 384 components takes some 4 MB with its words and its graph, so the process swings by less than
10 MB about what it has after the first minutes, and the last ten minutes are within a twentieth of the second ten. Its descriptors are its connections'; of a
dropped collection no file stays. A cycle is some 3 s of work, so an hour makes a thousand collections and two million documents.

Usage: .heartguard/venv/bin/python Benchmarks/churn.py [--minutes N] [--bin-path FOLDER]   It starts a cluster of its own and removes it.
"""
import argparse, array, os, pathlib, random, statistics, sys, threading, time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/ContractTests"))

from client import contracts  # noqa: E402

contracts.generate()

from client import people  # noqa: E402
from client.cluster import Cluster  # noqa: E402
from client.doors import Door  # noqa: E402
from client.tokens import Forger  # noqa: E402
from heartguard.vectors.v1 import vectors_pb2, vectors_service_pb2 as service  # noqa: E402

from harness.cluster import started  # noqa: E402
from harness.report import Report  # noqa: E402

MODEL, DIMENSION = "sentence-transformers/all-MiniLM-L6-v2", 384
DOCUMENTS, LASTING, EACH = 2_000, 5_000, 500
WORDS = "pulse pressure rhythm dose salt sleep walk rest aspirin statin valve echo stress oxygen weight ankle breath murmur".split()
PAUSE, REMOVAL = 5.0, 60.0


class Operator:
    """Calls Vectors at its own port with a token for longer than the benchmark takes."""

    def __init__(self, cluster, hours):
        self.door = Door(cluster, through_gateway=False)
        account = cluster.credentials["operator"]
        signed_in = people.log_in(self.door.users, account["email"], account["password"])
        token = Forger(cluster, signed_in.tokens.access_token).token(claims={"exp": int(time.time()) + round(hours * 3600) + 3600})
        self.metadata = people.bearing(token)

    def __call__(self, method, **fields):
        request = getattr(service, f"{method}Request")(**fields)
        return getattr(self.door.vectors, method)(request, metadata=self.metadata, timeout=120)


class Churn:
    """The work, by two callers that share nothing but the process."""

    def __init__(self, operator, until):
        self.operator, self.until = operator, until
        chance = random.Random(1)
        self.vectors = [array.array("f", (chance.gauss(0, 1) for _ in range(DIMENSION))) for _ in range(DOCUMENTS)]
        self.cycles = self.searches = self.documents = 0
        self.failure = None

    def go(self):
        self.make("churn_lasting")
        for start in range(0, LASTING, EACH):
            self.fill("churn_lasting", range(start, start + EACH), random)
        threads = [threading.Thread(target=self.guarded, args=(work,)) for work in (self.come_and_go, self.last)]
        for thread in threads:
            thread.start()
        return threads

    def guarded(self, work):
        chance = random.Random(work.__name__)
        try:
            while time.monotonic() < self.until and self.failure is None:
                work(chance)
        except Exception as error:
            self.failure = error

    def come_and_go(self, chance):
        name = f"churn_{self.cycles}"
        self.make(name)
        for start in range(0, DOCUMENTS, EACH):
            self.fill(name, range(start, start + EACH), chance)
        self.search(name, 100, chance)
        half = [f"document {number}" for number in range(0, DOCUMENTS, 2)]
        assert self.operator("DeleteDocuments", collection=name, ids=half).deleted_count == len(half)
        self.search(name, 50, chance)
        self.fill(name, range(0, 2 * EACH, 2), chance)
        self.search(name, 50, chance)
        self.operator("DeleteCollection", collection=name)
        self.cycles += 1

    def last(self, chance):
        self.fill("churn_lasting", chance.sample(range(LASTING), EACH), chance)
        self.search("churn_lasting", 200, chance)

    def make(self, name):
        self.operator("CreateCollection", name=name, model_id=MODEL, dimension=DIMENSION, metric=vectors_pb2.METRIC_COSINE)

    def fill(self, name, numbers, chance):
        documents = [
            vectors_pb2.Document(id=f"document {number}", content=" ".join(chance.choices(WORDS, k=40)), embedding=self.any_vector(chance),
                                 metadata={"topic": chance.choice(WORDS)})
            for number in numbers]
        self.operator("UpsertDocuments", collection=name, model_id=MODEL, documents=documents)
        self.documents += len(documents)

    def search(self, name, count, chance):
        for number in range(count):
            kind = ({}, {"query_text": chance.choice(WORDS)}, {"filter": {"topic": chance.choice(WORDS)}}, {"view": service.MATCH_VIEW_ID})[number % 4]
            assert self.operator("Search", collection=name, model_id=MODEL, embedding=self.any_vector(chance), **kind).matches
        self.searches += count

    def any_vector(self, chance):
        """One of some, turned a little, so that none is there twice."""
        vector = array.array("f", chance.choice(self.vectors))
        vector[chance.randrange(DIMENSION)] += chance.random()
        return vector


class Process:
    """What Vectors has at a moment."""

    def __init__(self, pid, snapshots):
        self.pid, self.snapshots = pid, snapshots

    def megabytes(self):
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def files(self):
        return sorted(path.name for path in self.snapshots.glob("*.snapshot*"))


def measure(cluster, minutes):
    state = pathlib.Path(cluster.read()["state"])
    process = Process(cluster.read()["services"]["vectors"]["pid"], state / "vectors-snapshots")
    operator = Operator(cluster, minutes / 60)
    began = time.monotonic()
    churn = Churn(operator, began + minutes * 60)
    threads = churn.go()
    samples = []
    while any(thread.is_alive() for thread in threads):
        samples.append((time.monotonic() - began, process.megabytes(), process.descriptors()))
        if len(samples) % 12 == 0:
            print(f"{samples[-1][0] / 60:4.0f} min: {samples[-1][1]:.0f} MB, {samples[-1][2]} descriptors, {churn.cycles} collections", file=sys.stderr)
        time.sleep(PAUSE)
    if churn.failure is not None:
        raise churn.failure
    there = [collection.id for collection in operator("ListCollections").collections]
    end = time.monotonic() + REMOVAL
    while (left := [name for name in process.files() if not any(id in name for id in there)]) and time.monotonic() < end:
        time.sleep(PAUSE)
    return churn, samples, left


def part(samples, sixth, column):
    """The median of one of six equal parts of the time."""
    size = len(samples) // 6
    return statistics.median(sample[column] for sample in samples[sixth * size:(sixth + 1) * size])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--bin-path", default=str(ROOT / ".build/release"))
    options = parser.parse_args()
    if options.minutes < 1:
        parser.error("less than a minute shows nothing")
    with started(options.bin_path) as (cluster, _):
        churn, samples, files = measure(Cluster(pathlib.Path(cluster["state"]) / "cluster.json"), options.minutes)
    settled = samples[len(samples) // 6:]
    hours, megabytes = [sample[0] / 3600 for sample in settled], [sample[1] for sample in settled]
    slope = round(statistics.linear_regression(hours, megabytes).slope, 2)
    report = Report("churn")
    for what, unit, value in (
        ("collections made and dropped", "in all", churn.cycles), ("documents written", "in all", churn.documents), ("searches", "in all", churn.searches),
        *((f"memory, sixth {sixth + 1} of the time", "MB", round(part(samples, sixth, 1), 1)) for sixth in range(6)),
        ("memory behind the first sixth, most", "MB", round(max(megabytes), 1)),
        ("memory behind the first sixth, slope", "MB an hour", slope),
        ("descriptors, second sixth", "open", part(samples, 1, 2)), ("descriptors, last sixth", "open", part(samples, 5, 2)),
    ):
        report.row(what, "heartguard", unit, value)
    report.at_most("memory, last sixth / second sixth", 1.05, round(part(samples, 5, 1) / part(samples, 1, 1), 3))
    report.at_most("descriptors, last sixth - second sixth", 0, part(samples, 5, 2) - part(samples, 1, 2))
    report.at_most(f"files of dropped collections, {REMOVAL:.0f} s after the end", 0, len(files))
    report.show()
    report.write()


main()
