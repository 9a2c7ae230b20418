#!/usr/bin/env python3
"""What Redis costs through our client, and what stands on it: beside redis-benchmark, redis-py and lz4.

    ours             Benchmarks/redis/Bench: 64 tasks on the event loops, as the services' handlers are, each loop with its connection, so that
                     64 commands are on their way at a time; elsewhere: tasks that run on other threads than the connections
    redis-benchmark  as many connections, and as many commands on their way on each; made before and parsed by nobody
    redis-py         PyPI's asyncio client, 64 tasks, a pool of as many connections
    lz4              -b1 on the same bytes in blocks of the same size

All talk to one server that this starts in a temporary folder, over loopback; client and server share all cores. They take turns; figures
are medians over the rounds, ratios medians of the ratios within each round.

Expected, before measuring. redis-benchmark with 64 commands in flight is bound by the server's one thread: 0.35 to 0.4 million GETs a second here
when this was last looked at, 2.5 µs each, most of a core. Our caller paid 9 µs of CPU while its command and its reply changed threads. On its
connection's thread it pays for a command, a request, its lock and continuation and the decoding of a reply: 2.5 µs, so that the server and two loops on
two cores come to 0.35 million: 0.85 of redis-benchmark, and 0.4 from elsewhere. redis-py takes
60 to 100 µs a call: 12,000 a second, so 20 times. A hit in memory is one lock, one hash of a string and a look at the clock: 0.2 µs.
A limiter's script is on the server's thread, where an empty one takes some 4 µs, and one that looks at the clock, gets and sets 12. GCRA answers all callers that
wait at the same moment in one run: with 32 of them, a get and a set and a few operations of Lua each, 4 µs, so 0.9 of as many empty scripts; the exact window runs
six commands for each: 0.4. LZ4 is the same library with a buffer of its own for each value: 0.9.

Usage: Benchmarks/redis.py [--rounds N] [--seconds S] [--quick] [--only PART,…] [--no-build]
"""
import argparse, csv, io, json, os, pathlib, re, statistics, subprocess, sys, tempfile

from harness.figures import Figures
from harness.process import free_port
from harness.report import FOLDER, Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
BENCH = ROOT / ".build/release/redis-bench"
PARTS = ["calls", "hits", "stale", "limiter", "memory", "lz4"]
CALLERS = 64
CONNECTIONS = min(len(os.sched_getaffinity(0)), 8)
IDENTITIES = 1_000_000


class Redis:
    """A server of its own, which keeps nothing."""

    def __init__(self, folder):
        self.port = free_port()
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
            stdout=subprocess.DEVNULL, start_new_session=True)

    def cli(self, *words):
        return text(["redis-cli", "-p", str(self.port), *words])

    def wait(self):
        for _ in range(100):
            if subprocess.run(["redis-cli", "-p", str(self.port), "ping"], capture_output=True, text=True).stdout.strip() == "PONG":
                return
        raise RuntimeError("redis-server does not answer")

    def used(self):
        return int(re.search(r"used_memory:(\d+)", self.cli("info", "memory")).group(1))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Session(Figures):
    def __init__(self, options, redis):
        super().__init__()
        self.options, self.redis = options, redis
        self.missing = {}

    def ours(self, command, *flags):
        return json.loads(text([str(BENCH), command, "--port", str(self.redis.port), "--connections", str(CONNECTIONS), *map(str, flags)]))

    def calls(self, kind, *flags):
        answer = self.ours("calls", "--kind", kind, "--callers", CALLERS, "--seconds", self.options.seconds, *flags)
        return answer["calls"] / answer["seconds"], answer["cpu_us_per_call"]

    def benchmark(self, name, *words):
        """Calls a second by redis-benchmark, after a first run that says how many fill the time."""
        def run(count):
            said = text(["redis-benchmark", "-p", str(self.redis.port), "-c", str(CONNECTIONS), "-P", str(CALLERS // CONNECTIONS), "-r", "100000", "-n", str(count),
                         "--csv", *words])
            return float(list(csv.reader(io.StringIO(said)))[1][1])
        return run(max(10_000, int(run(50_000) * self.options.seconds)))

    def measure_calls(self):
        for kind in ("set", "get"):
            what = kind.upper()
            self.record(what, "redis-benchmark", self.benchmark(kind, "-t", kind))
            rate, cpu = self.calls(kind)
            self.record(what, "ours", rate)
            self.record(f"{what}: CPU of the client", "ours", cpu)
            rate, cpu = self.calls(kind, "--elsewhere")
            self.record(what, "ours, elsewhere", rate)
            self.record(f"{what}: CPU of the client", "ours, elsewhere", cpu)
            self._redis_py(what, kind)

    def _redis_py(self, what, kind):
        if subprocess.run([sys.executable, "-c", "import redis.asyncio, hiredis"], capture_output=True).returncode:
            self.missing["redis-py"] = "PyPI's redis[hiredis] is not installed for this Python"
            return
        answer = json.loads(text([sys.executable, str(ROOT / "Benchmarks/redis/peers/redis_py.py"), str(self.redis.port), kind,
                                  str(CALLERS), str(self.options.seconds)]))
        self.record(what, "redis-py", answer["calls"] / answer["seconds"])

    def measure_hits(self):
        self.record("hit in memory", "ours", self.ours("hits")["ns_per_read"])

    def measure_stale(self):
        answer = self.ours("stale", "--changes", 300 if self.options.quick else 2_000)
        for name in ("p50", "p99", "max"):
            self.record(f"stale window, two other replicas under load: {name}", "ours", answer[f"{name}_ms"])

    def measure_limiter(self):
        for kind in LIMITERS:
            self.redis.cli("flushall")
            bare, _ = self.calls("script")
            self.record(f"script of {kind}", "bare EVALSHA", bare)
            rate, _ = self.calls(kind)
            self.record(f"script of {kind}", "ours", rate)
        self.redis.cli("flushall")

    def measure_memory(self):
        """Once: it is a count of bytes."""
        what = f"{IDENTITIES:,} identities of gcra"
        if (what, "ours") in self.figures:
            return
        self.redis.cli("flushall")
        before = self.redis.used()
        counted = self.ours("identities", "--count", IDENTITIES)["identities"]
        self.record(what, "ours", (self.redis.used() - before) / counted * IDENTITIES / 1e6)
        self.redis.cli("flushall")

    def measure_lz4(self):
        for name, file in self.options.texts.items():
            for size in (4_096, 65_536):
                said = text(["lz4", "-b1", "-i1", f"-B{size}", str(file)])
                found = re.findall(r"\(([\d.]+)\).*?([\d.]+) MB/s.*?([\d.]+) MB/s", said.replace(",", ""))[-1]
                ours = json.loads(text([str(BENCH), "pack", str(file), "--block", str(size)]))
                for what, theirs, key in (("pack", found[1], "pack_mb_s"), ("unpack", found[2], "unpack_mb_s")):
                    self.record(f"LZ4 {what}, {name}, blocks of {size:,}", "lz4", float(theirs))
                    self.record(f"LZ4 {what}, {name}, blocks of {size:,}", "ours", ours[key])
                self.record(f"LZ4 ratio, {name}, blocks of {size:,}", "ours", ours["ratio"])

    def report(self):
        report = Report("redis")
        for (what, who), values in self.figures.items():
            report.row(what, who, unit(what), statistics.median(values))
        for who, why in self.missing.items():
            report.missing(who, why)
        for kind in ("SET", "GET"):
            report.at_least(f"{kind}, ours / redis-benchmark", 0.8, self.ratio(kind, "ours", "redis-benchmark"))
            report.at_least(f"{kind}, ours / redis-py", 5, self.ratio(kind, "ours", "redis-py"))
        report.at_most("hit in memory", 1_000, self.median("hit in memory", "ours"), " ns")
        report.at_most("stale window, the longest", 50, self.median("stale window, two other replicas under load: max", "ours"), " ms")
        for kind in LIMITERS:
            report.at_least(f"script of {kind}, ours / bare EVALSHA", 0.8, self.ratio(f"script of {kind}", "ours", "bare EVALSHA"))
        report.at_most(f"{IDENTITIES:,} identities of gcra", 150, self.median(f"{IDENTITIES:,} identities of gcra", "ours"), " MB")
        for what in dict.fromkeys(what for what, _ in self.figures if what.startswith(("LZ4 pack", "LZ4 unpack"))):
            report.at_least(f"{what}, ours / lz4", 0.9, self.ratio(what, "ours", "lz4"))
        return report


# What `redis-bench calls --kind` calls the limiters: one integer a caller, and every unit.
LIMITERS = ["gcra", "window"]


def unit(what):
    if what.startswith("LZ4 ratio"):
        return "times smaller"
    if what.startswith("LZ4"):
        return "MB/s"
    if "CPU" in what:
        return "µs/call"
    if what.startswith("hit"):
        return "ns"
    if what.startswith("stale"):
        return "ms"
    return "MB" if "identities" in what else "calls/s"


def text(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr.strip()[-800:]}")
    return done.stdout + done.stderr if command[0] == "lz4" else done.stdout


def make_texts(folder):
    """What values are made of, 8 MB of each: passages of medical knowledge, and readings as they are answered in JSON."""
    reading = '{{"id":"01936{0:07x}-7c3e-7a11-9d0b-{1:012x}","code":"8867-4","value":{2},"unit":"/min","effectiveTime":"2026-11-{3:02}T{4:02}:{5:02}:00Z"}}\n'
    readings = "".join(reading.format(number, number * 7919, 55 + number * 37 % 60, 1 + number % 28, number % 24, number * 7 % 60)
                       for number in range(60_000))
    texts = {"passages": (ROOT / "Samples/medical/documents.jsonl").read_bytes(), "readings": readings.encode()}
    files = {}
    for name, content in texts.items():
        files[name] = pathlib.Path(folder) / name
        files[name].write_bytes((content * (1 + (8 << 20) // len(content)))[:8 << 20])
    return files


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--no-build", action="store_true")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; there are {', '.join(PARTS)}")
    if options.quick:
        options.rounds, options.seconds = 1, 0.5
    if not options.no_build:
        subprocess.run(["swift", "build", "-c", "release", "--product", "redis-bench"], cwd=ROOT, check=True, stdout=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        options.texts = make_texts(folder)
        redis = Redis(folder)
        try:
            redis.wait()
            session = Session(options, redis)
            for number in range(options.rounds):
                for part in parts:
                    print(f"round {number + 1} of {options.rounds}: {part}", file=sys.stderr)
                    getattr(session, f"measure_{part}")()
        finally:
            redis.stop()
    report = session.report()
    report.show()
    report.write()
    print(f"written to {FOLDER / 'redis.json'}")


if __name__ == "__main__":
    main()
