#!/usr/bin/env python3
"""What a search by vectors costs, beside the indexes that Python's users take.

    ours          Benchmarks/vectors/Bench: HNSWIndex with codes of one byte; vectors as float32 in a mapped file, or as bfloat16 in memory
    hnswlib       PyPI's hnswlib, built for this processor by its setup
    faiss-flat    PyPI's faiss-cpu, IndexHNSWFlat;  faiss-sq8  IndexHNSWSQ with 8 bits, without re-scoring
    usearch-f32   PyPI's usearch;  usearch-i8  its bytes, without re-scoring

Each is a process that builds its index once with the same vectors, m = 16 and efConstruction = 200 on two threads, and then searches on
one, k = 10. They take turns: in each round every one searches all queries with every ef. Searches per second are interpolated between the
two ef around a recall of 0.95 and of 0.99, on a logarithmic scale; figures are medians over the rounds, ratios medians of the ratios
within each round. A search per second is one per second of CPU time, which is the same on a core that nobody else uses, and much the
steadier on a machine that others use; the seconds of a build are the clock's.

Expected, before measuring. A comparison of a walk waits for memory: a code of 384 bytes has a quarter of the lines of a vector, and a
processor fetches about that much faster; hnswlib at 0.95 compares some 400 vectors, we as many codes and 20 vectors. So 2.5 times
hnswlib's rate at 384 components, and as much at 768 and 1152, where fetching is a larger part but 20 vectors are too. Memory: 384 + 132 for links and some 60
bytes a vector where hnswlib has 1,536 + 132 and 60: a third. A build compares codes in the cache: twice as fast.
A snapshot of 125,000 x 768 is 384 MB of vectors, 96 of codes and 20 of links. Checksums run at some 8 GB/s a thread and copies at 4, so a start
that finds the file in the system's memory reads it in 0.3 s, and one from a disk of 200 MB/s in 2.5 s: below 5 s in any case. Writers wait
for as long as it takes to hand 500 MB to the system, half a second.

Usage: Benchmarks/vectors.py [--base FILE --queries FILE] [--count N] [--dimensions D,…] [--rounds N] [--quick] [--only NAME,…] [--no-build]

Without files, vectors are made that lie as embeddings do (Benchmarks/harness/embeddings.py says how), from a seed, the same in every run.
"""
import argparse, json, math, pathlib, statistics, subprocess, sys, tempfile

from harness import embeddings as data
from harness.figures import Figures
from harness.report import FOLDER, Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH = ROOT / ".build/release/hnsw-bench"
PEER = ROOT / "Benchmarks/vectors/peers/index.py"
OURS = {"ours": "int8", "ours-bf16": "int8OverBFloat16"}
PEERS = ["hnswlib", "faiss-flat", "faiss-sq8", "usearch-f32", "usearch-i8"]
EFS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256]
RECALLS = [0.95, 0.99]
SHARES = [0.001, 0.01, 0.1, 0.5]
FILTERED_EFS = [16, 32, 64, 128]
M, EF_CONSTRUCTION, THREADS, K = 16, 200, 2, 10
# By dimension: what a search at 0.95 and 0.99 and a build are to be, in hnswlib's.
BOUNDS = {384: (2.0, 2.2, 1.4), 768: (1.8, 1.8, 1.8), 1152: (1.8, 1.8, None)}
NO_PEER_YET = {"chromadb": "its server is not measured yet", "pgvector": "it is not measured yet"}


class Program:
    """One index under measurement."""

    def __init__(self, name, base, queries, folder):
        self.name = name
        if name in OURS:
            mapped = ["--folder", folder] if name == "ours" else []
            command = [str(BENCH), "--base", base, "--queries", queries, "--representation", OURS[name], "--m", M,
                       "--ef-construction", EF_CONSTRUCTION, "--threads", THREADS, *mapped]
        else:
            command = [sys.executable, str(PEER), name, base, queries, THREADS, M, EF_CONSTRUCTION]
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
        self.missing, self.programs = dict(NO_PEER_YET), {}

    def start(self):
        for name in self.options.only:
            print(f"{self.dimension}-d: {name} builds", file=sys.stderr)
            try:
                self.programs[name] = Program(name, self.files["base"], self.files["queries"], self.folder)
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

    def restart(self):
        """What a snapshot costs those who write, and a start that reads it until it has answered a search."""
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
        for share in self.options.shares:
            report.at_least(f"{d}: returned of {K} among {share:.1%}", K, self.median(f"{share:.1%} pass, returned", "ours"))
        report.at_most(f"{d}: s from a start to its first answer", 5, self.median("snapshot: a start until its first answer", "ours"))
        if self.options.churn:
            report.at_most(f"{d}: recall lost by churn", 0.01, self.median("recall lost by churn", "ours"))
            report.at_most(f"{d}: time of a search after churn", 1.2, self.median("time of a search after churn", "ours"))


def interpolated(curve, recall):
    """The rate at a recall, between the two points around it; rates fall about exponentially with recall's last digits."""
    points = sorted((point["recall"], point["cpu_qps"]) for point in curve if "recall" in point)
    for (low, fast), (high, slow) in zip(points, points[1:]):
        if low <= recall <= high and high > low:
            part = (recall - low) / (high - low)
            return math.exp((1 - part) * math.log(fast) + part * math.log(slow))
    return points[0][1] if points and points[0][0] >= recall else None


def unit(what):
    if what.startswith("build"):
        return "s"
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
        data.write(files["base"], made.make(options.count, noise=0.6))
        data.write(files["queries"], made.make(options.query_count, noise=0.8))
    base, queries = data.normalised(data.read(files["base"])), data.normalised(data.read(files["queries"]))
    for name, share in [("truth", None), *((share, share) for share in options.shares)]:
        files[name] = str(pathlib.Path(folder) / f"truth-{dimension}-{name}.ivecs")
        data.write(files[name], data.nearest(base, queries, K, share))
    return base.shape[1], files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", help="an .fvecs file of vectors of length one")
    parser.add_argument("--queries", help="an .fvecs file of what is searched for")
    parser.add_argument("--count", type=int, default=125_000)
    parser.add_argument("--query-count", type=int, default=1_000)
    parser.add_argument("--dimensions", default="384,768,1152")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shares", default=",".join(map(str, SHARES)))
    parser.add_argument("--churn", type=float, default=10, help="how many times the set is replaced; 0 for not at all")
    parser.add_argument("--only", default=",".join([*OURS, *PEERS]), help="whom to measure")
    parser.add_argument("--quick", action="store_true", help="20,000 vectors of 384 components, one round")
    parser.add_argument("--no-build", action="store_true")
    options = parser.parse_args()
    if bool(options.base) != bool(options.queries):
        parser.error("--base and --queries go together")
    options.only = options.only.split(",")
    if unknown := [name for name in options.only if name not in [*OURS, *PEERS]]:
        parser.error(f"there is no {unknown[0]}; there are {', '.join([*OURS, *PEERS])}")
    options.shares = [float(share) for share in options.shares.split(",") if share]
    if options.quick:
        options.count, options.dimensions, options.rounds, options.churn = 20_000, "384", 1, min(options.churn, 1)
    if not options.no_build:
        subprocess.run(["swift", "build", "-c", "release", "--product", "hnsw-bench"], cwd=ROOT, check=True, stdout=sys.stderr)
    report = Report("vectors")
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
                session.churn()
            finally:
                session.stop()
            session.report(report)
            report.write()
    report.show()
    print(f"written to {FOLDER / 'vectors.json'}")


if __name__ == "__main__":
    main()
