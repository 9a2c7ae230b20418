#!/usr/bin/env python3
"""What people's memories cost Vectors: 10,000 people with 20 memories each, every one of whom searches, and somebody with 1,000.

Expected, before measuring. Nothing of a memory stays in the process, so its memory grows by what serving the calls takes: the tokens that were verified,
connections' and malloc's reserves, some 30 MB whatever the number of people; copies of the vectors alone would be 307 MB as float32 and 77 MB as bytes. A
search is two round trips to Postgres and 20 comparisons: 1 ms. One of 1,000 reads 1.5 MB: 10 ms.

Usage: .heartguard/venv/bin/python Benchmarks/memories.py [--people N] [--bin-path FOLDER]   It starts a cluster of its own and removes it.
"""
import argparse, array, concurrent.futures, pathlib, random, statistics, sys, time, uuid

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/ContractTests"))

from client import contracts  # noqa: E402

contracts.generate()

from client import people  # noqa: E402
from client.cluster import Cluster  # noqa: E402
from client.doors import Door  # noqa: E402
from client.tokens import Forger  # noqa: E402
from heartguard.vectors.v1 import memories_pb2, memories_service_pb2 as service  # noqa: E402

from harness.cluster import started  # noqa: E402
from harness.report import Report  # noqa: E402

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
EACH, MOST, THREADS, BOUND_MB = 20, 1_000, 4, 200


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS:"))


def vector(chance):
    return array.array("f", (chance.gauss(0, 1) for _ in range(384)))


def memory(number, chance):
    return memories_pb2.NewMemory(id=f"memory {number}", content="What was said, in a sentence or two, of some eighty characters as a rule." * 2,
                                  embedding=vector(chance), memory_type="note", metadata={"source": "conversation", "session": str(uuid.uuid4())})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--bin-path", default=str(ROOT / ".build/release"))
    options = parser.parse_args()
    with started(options.bin_path) as (cluster, _):
        measure(Cluster(pathlib.Path(cluster["state"]) / "cluster.json"), options.people)


def measure(cluster, count):
    door = Door(cluster, through_gateway=False)
    somebody = people.register(door.users)
    forger = Forger(cluster, somebody.tokens.access_token)
    pid = cluster.read()["services"]["vectors"]["pid"]
    ids = [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(count)]

    def call(method, request, person):
        # Longer than the benchmark takes; a token is made once a person.
        metadata = people.bearing(tokens[person])
        began = time.perf_counter()
        answer = method(request, metadata=metadata, timeout=60)
        return answer, (time.perf_counter() - began) * 1000

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        life = {"exp": int(time.time()) + 6 * 3600}
        tokens = dict(zip(ids, pool.map(lambda id: forger.token(claims={"sub": id, **life}), ids)))
        search = lambda chance, limit=10: service.SearchMemoriesRequest(model_id=MODEL, embedding=vector(chance), limit=limit)
        keep = lambda numbers, chance: service.UpsertMemoriesRequest(model_id=MODEL, memories=[memory(number, chance) for number in numbers])
        # What the first calls of all take is not the memories'.
        for id in ids[:100]:
            call(door.memories.SearchMemories, search(random), id)
        before = resident(pid)
        writes = list(pool.map(lambda id: call(door.memories.UpsertMemories, keep(range(EACH), random), id)[1], ids))
        written = resident(pid)
        found = list(pool.map(lambda id: call(door.memories.SearchMemories, search(random), id), ids))
        assert all(len(answer.matches) == 10 and answer.exact for answer, _ in found)
        after = resident(pid)
    alone = [call(door.memories.SearchMemories, search(random), id)[1] for id in ids[:500]]
    for start in range(EACH, MOST, 70):
        call(door.memories.UpsertMemories, keep(range(start, min(start + 70, MOST)), random), ids[0])
    large = [call(door.memories.SearchMemories, search(random), ids[0])[1] for _ in range(200)]

    report = Report("memories")
    for what, value in {
        f"memory of Vectors before, {count:,} people with {EACH} memories": before, "after all were kept": written,
        "after everybody searched": after, "growth": after - before,
    }.items():
        report.row(what, "heartguard", "MB", round(value, 1))
    for what, times in {f"keeping {EACH}, {THREADS} callers": writes, f"a search of {EACH}": alone, f"a search of {MOST:,}": large}.items():
        report.row(what, "heartguard", "ms p50", round(statistics.median(times), 2))
        report.row(what, "heartguard", "ms p95", round(statistics.quantiles(times, n=20)[-1], 2))
    report.at_most("memory grows by", BOUND_MB, round(after - before, 1), " MB")
    report.show()
    report.write()


main()
