#!/usr/bin/env python3
"""What a read and a bulk load cost: our PostgreSQL client beside the tools that come with PostgreSQL.

    ours       Benchmarks/postgres/Bench: the Postgres library through its pool, tasks on the client's own executor; a read-only
               transaction is identity and SELECT, which one synchronisation point makes a transaction
    explicit   the same with BEGIN and COMMIT, as what writes does
    unordered  ours, loading rows as they come, as psql does; ours sorts them first as the index by person, metric and time has them, and the
               sorting counts
    elsewhere  the first from tasks on threads of Swift's own, as a handler's are
    pgbench    PostgreSQL's own load generator over libpq, -M prepared: nothing that does more can be cheaper
    psql       \\copy, for bulk loads
    asyncpg    PyPI's, one process

All talk to one server that this starts in a temporary folder, over loopback; client and server share all cores. They take turns,
so that what a machine does to one in a round it does to all; figures are medians over the rounds, ratios medians of the ratios
within each round.

Expected, before measuring. A prototype saw 82,700 bare point reads a second on two cores and 62,600 with BEGIN, set_config and
COMMIT in the same pipeline, so the server and pgbench take 32 µs of CPU for the four statements, of which pgbench some 6. Our client
took 40 to 90 µs for one when it was last looked at: 0.3 to 0.45 of pgbench; 0.7 needs it at 19 µs or less, and leaves
6 for the pool, tasks and decoding. Without an identity the server has three commands where `pgbench -S` has one; 62,600 / 82,700 is
0.76 with a client as cheap as pgbench, so 0.7 needs fewer commands. asyncpg needs four round trips: 5,800 to 7,600 a second.
Ten times the rows are one level of an index more, all in memory: 5 to 10 %. A bulk load is bound by the two indexes, and binary rows
spare the server the parsing of text: 1.0 of \\copy.

Expected of ten million rows, after parts of it had been looked at one by one. An InitPlan is 11,700 instructions of the server's beside
99,000 for the four statements with WHERE (callgrind), the kernel's share and pgbench's not counted: 5 % of the whole, at the edge.
The latest of six metrics is six descents, six rows and one identity, 75 µs of the server's CPU where a bare point read is 22: no client
comes under twice the bare read, and pgbench itself will be at 2.5. The load's 200,000 rows go to 60,000 places of the index by person
and metric; right after a checkpoint each is an image of a page in the log, later it is a miss of the processor's cache: 0.8. Sorted as that
index is they come to neighbouring places, one after the other, each a few times: a quarter more rows a second, and 0.85.

Usage: Benchmarks/postgres.py [--rounds N] [--seconds S] [--rows N] [--quick] [--only PART,…] [--no-build]
"""
import argparse, json, pathlib, re, resource, signal, statistics, subprocess, sys, tempfile, time

from harness.figures import Figures
from harness.postgres_server import OWNER, READER, UNGUARDED, USERS, METRICS, PostgresServer
from harness.report import FOLDER, Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
SOURCES = ROOT / "Benchmarks/postgres"
BENCH = ROOT / ".build/release/postgres-bench"
PARTS = ["point", "plain", "latest", "policy", "load"]
CONNECTIONS = 16

LATEST = f"""
SELECT wanted.metric, newest.value, newest.taken_at
FROM unnest((SELECT ARRAY[{", ".join(f"'{metric}'" for metric in METRICS)}])) AS wanted (metric)
CROSS JOIN LATERAL (SELECT value, taken_at FROM vitals WHERE user_id = 77 AND vitals.metric = wanted.metric
    ORDER BY taken_at DESC, id DESC LIMIT 1) AS newest
"""


class Session(Figures):
    """The server and what has been measured so far: one list of a figure for each round."""

    def __init__(self, options, server):
        super().__init__()
        self.options, self.server = options, server
        self.small, self.large = ("small", options.rows // 10), ("large", options.rows)
        self.missing, self.plan = {}, ""

    def prepare(self):
        self.server.make_roles()
        for name, rows in (self.small, self.large):
            print(f"making {rows:,} rows", file=sys.stderr)
            self.server.make_database(name, rows, accounts(rows))
        begin = f"BEGIN; SET LOCAL ROLE {READER}; SELECT set_config('heartguard.user_id', '77', true);"
        self.plan = self.server.psql("large", f"{begin} EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, COSTS OFF) {LATEST}; COMMIT")

    # Who reads

    def ours(self, kind, place, connections, *flags, role=READER):
        database, rows = place
        rows = accounts(rows) if kind == "plain" else rows
        return self._json([str(BENCH), "read", "--port", str(self.server.port), "--database", database, "--user", role, "--kind", kind,
                           "--rows", str(rows), "--users", str(USERS), "--connections", str(connections),
                           "--seconds", str(self.options.seconds), *flags])

    def asyncpg(self, place):
        command = [sys.executable, str(SOURCES / "peers/asyncpg_reads.py"), str(self.server.port), place[0], READER, str(place[1]),
                   str(USERS), str(CONNECTIONS), str(self.options.seconds)]
        return self._json(command)

    def pgbench(self, script, place, connections, role=READER, seconds=None):
        """Transactions a second."""
        return float(re.search(r"tps = ([0-9.]+)", self._pgbench(script, place, connections, role, seconds)).group(1))

    def pgbench_costs(self, script, place, connections, role, seconds):
        """Transactions a second, and the CPU that the server and pgbench took for each in microseconds."""
        server, client = self.server.spent(), spent_by_children()
        text = self._pgbench(script, place, connections, role, seconds)
        client = spent_by_children() - client
        server = self.server.spent() - server
        count = int(re.search(r"transactions actually processed: ([0-9]+)", text).group(1))
        return float(re.search(r"tps = ([0-9.]+)", text).group(1)), server / count * 1e6, client / count * 1e6

    def pgbench_latency(self, script, place, role):
        """The median and the 95th percentile of one client's latency in microseconds, from pgbench's log of every transaction."""
        with tempfile.TemporaryDirectory() as folder:
            self._pgbench(script, place, 1, role, None, "-l", f"--log-prefix={folder}/log")
            times = sorted(int(line.split()[2]) for file in pathlib.Path(folder).iterdir() for line in open(file))
        return {f"p{percent}_us": times[min(len(times) - 1, len(times) * percent // 100)] for percent in (50, 95)}

    def _pgbench(self, script, place, connections, role, seconds, *more):
        database, rows = place
        what = ["-S"] if script == "-S" else ["-f", str(SOURCES / f"scripts/{script}.sql"), "-D", f"rows={rows}", "-D", f"users={USERS}",
                                                 "-D", "metrics={" + ",".join(METRICS) + "}"]
        length = max(1, round(seconds or self.options.seconds))
        command = self.server.client("pgbench", role, database, "-n", "-M", "prepared", "-c", str(connections),
                                     "-j", str(min(2, connections)), "-T", str(length), *what, *more)
        return self._text(command)

    def _json(self, command):
        return json.loads(self._text(command))

    def _text(self, command):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\nended with {done.returncode}: {done.stderr.strip()[-800:]}")
        return done.stdout

    # The parts

    def measure_point(self):
        """What is compared stands side by side."""
        small, large = (f"point read under RLS, {place[1]:,} rows" for place in (self.small, self.large))
        self._point_by_us("ours", small, self.small)
        self._point_by_us("ours", large, self.large)
        rate, server, client = self.pgbench_costs("point", self.large, CONNECTIONS, READER, None)
        self.record(large, "pgbench", rate)
        self.record(f"{large}: CPU of the client", "pgbench", client)
        self.record(f"{large}: CPU of the server", "pgbench", server)
        self._point_by_us("explicit", large, self.large, "--explicit")
        self._point_by_us("elsewhere", large, self.large, "--elsewhere")
        self._asyncpg(large, self.large)

    def _point_by_us(self, who, what, place, *flags):
        ours = self.ours("point", place, CONNECTIONS, *flags)
        self.record(what, who, ours["reads"] / ours["seconds"])
        self.record(f"{what}: CPU of the client", who, ours["cpu_us_per_read"])

    def _asyncpg(self, what, place):
        if subprocess.run([sys.executable, "-c", "import asyncpg"], capture_output=True).returncode:
            self.missing["asyncpg"] = "PyPI's asyncpg is not installed for this Python"
            return
        theirs = self.asyncpg(place)
        self.record(what, "asyncpg", theirs["reads"] / theirs["seconds"])

    def measure_plain(self):
        small, large = (f"point read of pgbench's table, {accounts(place[1]):,} rows" for place in (self.small, self.large))
        self._plain_by_us(small, self.small)
        rate, _, client = self.pgbench_costs("-S", self.large, CONNECTIONS, READER, None)
        self.record(large, "pgbench", rate)
        self.record(f"{large}: CPU of the client", "pgbench", client)
        self._plain_by_us(large, self.large)

    def _plain_by_us(self, what, place):
        ours = self.ours("plain", place, CONNECTIONS)
        self.record(what, "ours", ours["reads"] / ours["seconds"])
        self.record(f"{what}: CPU of the client", "ours", ours["cpu_us_per_read"])

    def measure_latest(self):
        """One at a time, since what is asked for is a latency: with more, both are the length of the queue. pgbench runs the same two
        statements as well, so that what the server takes can be told from what our client adds."""
        self._latency("bare point read, one at a time", "pgbench", self.pgbench_latency("bare", self.large, UNGUARDED))
        for place in (self.large, self.small):
            what = f"latest per metric, one at a time, {place[1]:,} rows"
            self._latency(what, "ours", self.ours("latest", place, 1))
            self._latency(what, "pgbench", self.pgbench_latency("latest", place, READER))
        self._latency("point read under RLS, one at a time", "ours", self.ours("point", self.large, 1))

    def _latency(self, what, who, times):
        for name in ("p50", "p95"):
            self.record(f"{what}: {name}", who, times[f"{name}_us"])

    def measure_policy(self):
        """By pgbench alone, in short turns that change their order, so that nothing but the server's work differs."""
        turns = [(place, *turn) for place in (self.small, self.large)
                 for turn in (("the policy", "point", READER), ("WHERE", "where", UNGUARDED))]
        for number in range(4):
            for place, name, script, role in turns if number % 2 else reversed(turns):
                rate, server, client = self.pgbench_costs(script, place, 4, role, 1)
                what = f"inside a transaction, by {name}, {place[1]:,} rows"
                self.record(what, "pgbench", rate)
                self.record(f"{what}: CPU of both", "pgbench", server + client)

    def measure_load(self):
        """The first load after a checkpoint writes each page that it touches to the log as a whole, once, so it is a figure of its own."""
        for place in (self.small, self.large):
            database, rows = place
            what = f"bulk load into {rows:,} rows"
            if (what, "psql") not in self.figures:
                self.server.psql(database, "CHECKPOINT")
                self._load_by_psql(f"{what}, right after a checkpoint", database, rows)
            self._load_by_psql(what, database, rows)
            self._load_by_us(what, "unordered", database, rows)
            self._load_by_us(what, "ours", database, rows, "--ordered")

    def _load_by_us(self, what, who, database, rows, *flags):
        answer = self._json([str(BENCH), "load", "--port", str(self.server.port), "--database", database, "--user", OWNER,
                             "--rows", str(self.options.load), "--from", str(rows + 1), "--users", str(USERS), *flags])
        self.record(what, who, answer["rows"] / answer["seconds"])
        self._unload(database, rows)

    def _load_by_psql(self, what, database, rows):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "rows"
            self._write_rows(file, rows + 1, self.options.load)
            command = self.server.client("psql", OWNER, database, "-Xq", "-v", "ON_ERROR_STOP=1", "-c", "BEGIN",
                                         "-c", f"\\copy vitals FROM '{file}'", "-c", "COMMIT")
            start = time.monotonic()
            self._text(command)
            self.record(what, "psql", self.options.load / (time.monotonic() - start))
        self._unload(database, rows)

    def _write_rows(self, file, first, count):
        with open(file, "w") as output:
            for number in range(first, first + count):
                at = time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime(1_767_225_600 + number))
                metric = METRICS[number // USERS % len(METRICS)]
                output.write(f"{number}\t{number % USERS}\t{metric}\t{number * 7919 % 1000 / 10}\t{at}\n")

    def _unload(self, database, rows):
        self.server.psql(database, f"DELETE FROM vitals WHERE id > {rows}", "VACUUM (INDEX_CLEANUP ON) vitals")


def accounts(rows):
    """How many rows pgbench's table has beside so many vitals: as many, in the hundred thousands that pgbench makes."""
    return max(1, rows // 100_000) * 100_000


def spent_by_children():
    """The CPU that programs which have ended took, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def unit(what):
    return "µs" if "p50" in what or "p95" in what or "CPU" in what else "rows/s" if what.startswith("bulk") else "1/s"


def report(session):
    result = Report("postgres")
    for (what, who), values in session.figures.items():
        result.row(what, who, unit(what), round(statistics.median(values), 3))
    for name, why in session.missing.items():
        result.missing(name, why)

    def ratio(one, other):
        value = session.ratio(one[0], one[1], other[1], of=other[0])
        return None if value is None else round(value, 3)

    parts, (small, large) = session.options.parts, (session.small[1], session.large[1])
    if "load" in parts:
        what = f"bulk load into {large:,} rows"
        for who, name in (("ours", ""), ("unordered", ", rows as they come")):
            result.at_least(f"bulk load{name}, ours / psql \\copy", 0.7, ratio((what, who), (what, "psql")))
            result.at_least(f"bulk load{name}, {large:,} / {small:,} rows", 1 / 1.2, ratio((what, who), (f"bulk load into {small:,} rows", who)))
    if "point" in parts:
        what = f"point read under RLS, {large:,} rows"
        result.at_least("point read under RLS, ours / pgbench", 0.7, ratio((what, "ours"), (what, "pgbench")))
        result.at_least("point read under RLS, with BEGIN and COMMIT / pgbench", 0.7, ratio((what, "explicit"), (what, "pgbench")))
        result.at_least("point read under RLS, ours / asyncpg", 5, ratio((what, "ours"), (what, "asyncpg")))
        result.at_least(f"point read under RLS, {large:,} / {small:,} rows", 1 / 1.2,
                        ratio((what, "ours"), (f"point read under RLS, {small:,} rows", "ours")))
    if "plain" in parts:
        what, before = (f"point read of pgbench's table, {accounts(rows):,} rows" for rows in (large, small))
        result.at_least("point read without identity, ours / pgbench -S", 0.7, ratio((what, "ours"), (what, "pgbench")))
        result.at_least(f"point read without identity, {accounts(large):,} / {accounts(small):,} rows", 1 / 1.2,
                        ratio((what, "ours"), (before, "ours")))
    if "latest" in parts:
        what = f"latest per metric, one at a time, {large:,} rows: p95"
        result.at_most("latest per metric, p95 / bare pgbench point read", 2,
                       ratio((what, "ours"), ("bare point read, one at a time: p95", "pgbench")))
        for name in ("p50", "p95"):
            bare = (f"bare point read, one at a time: {name}", "pgbench")
            for who in ("ours", "pgbench"):
                result.row(f"latest per metric, {name} / bare pgbench point read", who, "×", ratio((what.replace("p95", name), who), bare))
        result.at_most(f"latest per metric, p95, {large:,} / {small:,} rows", 1.2,
                       ratio((what, "ours"), (f"latest per metric, one at a time, {small:,} rows: p95", "ours")))
        descents = re.search(r"Index (?:Only )?Scan using vitals_newest.*?loops=(\d+)", session.plan)
        result.at_most("latest per metric, index descents a metric", 1, int(descents.group(1)) / len(METRICS) if descents else None)
    if "policy" in parts:
        policy, where = (f"inside a transaction, by {name}, {large:,} rows" for name in ("the policy", "WHERE"))
        result.at_most("cost of the policy, WHERE / policy", 1.05, ratio((where, "pgbench"), (policy, "pgbench")))
        result.at_least(f"read by the policy in a transaction, {large:,} / {small:,} rows", 1 / 1.2,
                        ratio((policy, "pgbench"), (policy.replace(f"{large:,}", f"{small:,}"), "pgbench")))
        result.row("cost of the policy, CPU of server and client, policy / WHERE", "pgbench", "×",
                   ratio((f"{policy}: CPU of both", "pgbench"), (f"{where}: CPU of both", "pgbench")))
    result.show()
    if "latest" in parts:
        print(f"\nThe plan of the latest per metric at {large:,} rows:\n{session.plan.strip()}")
    if not session.options.is_partial:
        result.write()


def parse():
    parser = argparse.ArgumentParser(description="Measures the PostgreSQL client beside pgbench, psql and asyncpg.")
    parser.add_argument("--rounds", type=int, default=10, help="how often each takes its turn (10)")
    parser.add_argument("--seconds", type=float, default=1, help="how long each load lasts (1); many short turns spread what a machine does besides")
    parser.add_argument("--rows", type=int, default=10_000_000, help="vitals of the large table; the small has a tenth (10,000,000)")
    parser.add_argument("--load", type=int, default=200_000, metavar="ROWS", help="rows of a bulk load (200,000)")
    parser.add_argument("--quick", action="store_true", help="one round of one second with 1,000,000 rows: does it all work")
    parser.add_argument("--only", default="", metavar="PART,…", help=f"some of {', '.join(PARTS)}; writes no file")
    parser.add_argument("--no-build", dest="build", action="store_false", help="measure what was built before")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name]
    for name in chosen:
        if name not in PARTS:
            parser.error(f"there is no part called {name}")
    options.parts, options.is_partial = chosen or PARTS, bool(chosen)
    if options.quick:
        options.rounds, options.seconds, options.rows, options.load = 1, 1, min(options.rows, 1_000_000), min(options.load, 50_000)
    if options.rows < 10 * USERS * len(METRICS):
        parser.error(f"every person needs every metric: at least {10 * USERS * len(METRICS):,} rows")
    return options


def build():
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["swift", "build", "--package-path", str(ROOT), "-c", "release", "--product", "postgres-bench", "--static-swift-stdlib"]
    log = FOLDER / "postgres-bench.log"
    print("building postgres-bench", file=sys.stderr)
    with open(log, "wb") as output:
        if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output).returncode:
            sys.exit(f"bench-postgres: postgres-bench could not be built; see {log}")


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if options.build:
        build()
    server = PostgresServer()
    try:
        session = Session(options, server)
        session.prepare()
        for number in range(options.rounds):
            for part in options.parts:
                print(f"round {number + 1} of {options.rounds}: {part}", file=sys.stderr)
                getattr(session, f"measure_{part}")()
        report(session)
    finally:
        server.stop()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("bench-postgres: stopped")
