#!/usr/bin/env python3
"""What a million samples of one device take: in by one stream, out raw, by buckets and as plots, while more come in, and after late ones. A sample every ten
seconds, so a million are 116 days; messages of 10,000; all through the Gateway, in rounds of a device each.

Beside it stands what bounds it, taken in turn in the same server: `psql \\copy` of the same rows into a table of the same columns, keys and checks, `psql \\copy`
of the rows in their order into a file, and buckets by a GROUP BY of the samples, whose rows psql reads. The superuser, who does these, is held to no policy.

Expected, before measuring.
- In: COPY puts a row into the heap and an index of five columns (3 us), checks it (1 us) and looks its device up (4 us): 8 us, 125,000 rows/s. We have the same
  to do, and look for the sample, take it out of an array and put it in order (4 us), in a commit a message; the Gateway and Vitals have a message before
  PostgreSQL has it, and the next is read when it is answered, so their 3 us are added: 15 us, 65,000 samples/s, half of the copy.
- Raw: 2,000 a statement. PostgreSQL finds and sends a row in 2 us, Vitals reads and writes it in 2, and the statement's own millisecond is 0.5 a row: 4.5 us,
  220,000 samples/s.
- Rolling up: a sample is read (0.5 us), made numeric and added (1), and compared as the least and the greatest with its instant (1): 2.5 s for a million, and
  0.5 s for the 121 transactions of 24 rows each. So the first plot takes 3 s, and so does the first after late samples in every hour.
- A plot of 1,000 points from then on: its spans are hours, 2,778 of them. Six statements, each with 1,000 look-ups of 10 us and 25 partitions to plan for,
  30 ms: 0.2 s. One of 5,000 points has spans shorter than an hour and looks at every sample: 2.5 s, and 20,000 look-ups and 117 statements: 3.3 s.
- Buckets of an hour: six statements of 500 rows and 500 look-ups, 0.1 s, where a GROUP BY of the samples takes 0.5 us a row, 0.5 s. Those of ten minutes are
  finer than rollups: 2 us a sample, exact totals being the most of it, and 16,667 look-ups in 116 statements: 2.8 s, beside 0.6 for the GROUP BY.
- 10,000 late samples, all over the time: each is in a page of its own, half of them written whole to the log: 0.6 s.
- While a stream writes, both have one core of two: a plot takes twice as long, and the stream is half as fast at worst.
- Memory: Vitals holds a message of 10,000 samples in three forms (2 MB), pages of 2,000 or 20,000 candidates of a plot. With what the allocator keeps, each of
  these grows it by less than 20 MB; 64 may be.

Usage: .heartguard/venv/bin/python Benchmarks/series.py [--count N] [--rounds N] [--bin-path FOLDER]   It starts a cluster of its own and removes it.
"""
import argparse, collections, concurrent.futures, contextlib, math, pathlib, random, sys, time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/ContractTests"))

from client import contracts  # noqa: E402

contracts.generate()

import grpc  # noqa: E402
from client import people  # noqa: E402
from client.cluster import Cluster  # noqa: E402
from client.doors import Door  # noqa: E402
from client.readings import watch  # noqa: E402
from google.protobuf.duration_pb2 import Duration  # noqa: E402
from google.protobuf.timestamp_pb2 import Timestamp  # noqa: E402
from heartguard.vitals.v1 import series_pb2, series_service_pb2 as service  # noqa: E402

from harness.cluster import psql, started, timed  # noqa: E402
from harness.figures import Figures  # noqa: E402
from harness.report import Report  # noqa: E402

SERVICE, METRIC = "/heartguard.vitals.v1.SeriesService", "pulse"
# Seconds between two samples; in a message; in the past; of a call of the slowest kind.
EVERY, MESSAGE, LATE, TIMEOUT = 10, 10_000, 10_000, 300
POINTS, MOST_POINTS, REPEATS = 1_000, 5_000, 5
HOUR, TEN_MINUTES, DAY = 3_600, 600, 86_400
MICROSECONDS = 1_000_000
EPOCH = "timestamptz '1970-01-01 00:00:00+00'"
COLUMNS = 'user_id, device_id, metric_type, "timestamp", sequence, value, updated_at, revision'
OURS, COPY, GROUP = "heartguard", "psql \\copy", "psql GROUP BY"


class Signal:
    """The samples of every round, each an instant in microseconds, a number and a value; those that come late lie between them, and more behind."""

    def __init__(self, count):
        self.count, more, chance = count, count // 4, random.Random(1)
        # All are in the past, and the first begins a day.
        self.start = int(time.time() - (count + more) * EVERY - 2 * DAY) // DAY * DAY * MICROSECONDS
        self.end = self.start + count * EVERY * MICROSECONDS

        def sample(place, number):
            value = round(70 + 20 * math.sin(place / 5_000) + chance.gauss(0, 4), 1)
            return self.start + int(place * EVERY * MICROSECONDS), number, value

        late = min(LATE, count)
        self.samples = [sample(number, number) for number in range(count)]
        self.more = [sample(number, number) for number in range(count, count + more)]
        self.late = [sample(number * count // late + 0.5, 10 * count + number) for number in range(late)]

    def buckets(self, seconds):
        """What the samples with the late ones come to, recomputed from each of them."""
        groups = collections.defaultdict(list)
        for at, _, value in sorted(self.samples + self.late):
            groups[at // MICROSECONDS // seconds * seconds].append(value)
        return [(start, len(values), min(values), max(values), math.fsum(values) / len(values), values[-1]) for start, values in sorted(groups.items())]


def messages(samples):
    """The bytes of a stream's messages, which do not say yet where they go."""
    for first in range(0, len(samples), MESSAGE):
        request = service.SeriesServiceAppendSamplesRequest()
        for at, number, value in samples[first:first + MESSAGE]:
            one = request.samples.add(sequence=number, value=value)
            one.at.seconds, one.at.nanos = at // MICROSECONDS, at % MICROSECONDS * 1_000
        yield request.SerializeToString()


def instant(microseconds):
    return Timestamp(seconds=microseconds // MICROSECONDS, nanos=microseconds % MICROSECONDS * 1_000)


class Line:
    """The two streams over a connection of its own to the Gateway. Messages go and come as bytes: to make and to read them is not the service's work."""

    def __init__(self, cluster, person, device, signal):
        self.person, self.device, self.signal = person, device, signal
        channel = cluster.new_channel("gateway")
        grpc.channel_ready_future(channel).result(timeout=30)
        self.sending = channel.stream_stream(
            f"{SERVICE}/AppendSamples", response_deserializer=service.SeriesServiceAppendSamplesResponse.FromString)
        self.reading = channel.unary_stream(f"{SERVICE}/ReadSeries", request_serializer=service.ReadSeriesRequest.SerializeToString)
        self.metric = series_pb2.SeriesMetric(channel=METRIC)

    def append(self, bodies, count):
        """Seconds until the last message is answered."""
        # Messages that stand one behind the other are one.
        head = service.SeriesServiceAppendSamplesRequest(device_id=self.device, metric=self.metric).SerializeToString()
        stream = (body if place else head + body for place, body in enumerate(bodies))
        answer, began = None, time.perf_counter()
        for answer in self.sending(stream, metadata=self.person.metadata, timeout=TIMEOUT):
            pass
        taken = time.perf_counter() - began
        if answer is None or answer.recorded_count != count:
            raise RuntimeError(f"{answer and answer.recorded_count} of {count} samples were new")
        return taken

    def read(self, **form):
        """Seconds until the last answer of the whole first part, and the answers."""
        request = service.ReadSeriesRequest(
            device_id=self.device, metric=self.metric, start_at=instant(self.signal.start), end_at=instant(self.signal.end), **form)
        began = time.perf_counter()
        answers = list(self.reading(request, metadata=self.person.metadata, timeout=TIMEOUT))
        return time.perf_counter() - began, map(service.ReadSeriesResponse.FromString, answers)

    def samples(self, **form):
        taken, answers = self.read(**form)
        return taken, [(one.at.seconds * MICROSECONDS + one.at.nanos // 1_000, one.sequence, one.value) for answer in answers for one in answer.samples]

    def plot(self, points=POINTS):
        return self.samples(plot=service.Plot(points=points))

    def buckets(self, seconds):
        taken, answers = self.read(buckets=service.FixedBuckets(width=Duration(seconds=seconds)))
        return taken, [(one.start_at.seconds, one.count, one.least, one.greatest, one.mean, one.last) for answer in answers for one in answer.buckets]


class Memory:
    """By how much a program's resident memory grew at most while something was done, in MB; the most of all rounds."""

    def __init__(self, pid):
        self.folder, self.grown, self.peak = pathlib.Path(f"/proc/{pid}"), {}, 0

    def _read(self, field):
        with open(self.folder / "status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(f"{field}:"))

    @contextlib.contextmanager
    def watched(self, what):
        # The high-water mark begins anew at what is resident now (proc(5)).
        (self.folder / "clear_refs").write_text("5")
        before = self._read("VmHWM")
        yield
        highest = self._read("VmHWM")
        self.grown[what], self.peak = max(self.grown.get(what, 0), highest - before), max(self.peak, highest)


def differing(found, expected):
    """How many samples or buckets are not what they should be, or are not there. Means may differ in their last digits."""
    def same(one, other):
        return one == other or len(one) == len(other) and all(
            math.isclose(left, right, rel_tol=1e-12) if place == 4 else left == right for place, (left, right) in enumerate(zip(one, other)))
    return abs(len(found) - len(expected)) + sum(not same(one, other) for one, other in zip(found, expected))


class Benchmark:
    def __init__(self, started_cluster, folder, count):
        self.postgres, self.folder, self.signal = started_cluster, folder, Signal(count)
        self.cluster = Cluster(pathlib.Path(started_cluster["state"]) / "cluster.json")
        self.door = Door(self.cluster, through_gateway=True)
        self.person = people.Lasting(self.door.users, people.register(self.door.users))
        self.bodies, self.late, self.more = (list(messages(samples)) for samples in (self.signal.samples, self.signal.late, self.signal.more))
        self.recomputed = {seconds: self.signal.buckets(seconds) for seconds in (TEN_MINUTES, HOUR, DAY)}
        self.memory = Memory(self.cluster.read()["services"]["vitals"]["pid"])
        self.figures, self.wrong = Figures(), collections.Counter({"samples": 0, "buckets": 0, "rollups": 0, "plots": 0})
        psql(self.postgres, "CREATE TABLE public.copied (LIKE vitals.device_timeseries INCLUDING ALL)",
             "ALTER TABLE public.copied ADD FOREIGN KEY (user_id, device_id) REFERENCES vitals.user_devices (user_id, id)")

    def round(self, number):
        device = self.person.calls(self.door.vitals.RegisterDevice, watch(f"bench {number}")).device.id
        one, other = (Line(self.cluster, self.person, device, self.signal) for _ in range(2))
        self.rows = f"user_id = '{self.person.user.id}' AND device_id = '{device}' AND metric_type = '{METRIC}'"
        self.ingest(one)
        self.plots(one)
        self.buckets(one)
        self.raw(one)
        plot = self.late_samples(one)
        self.plots_meanwhile(one, other, plot)

    def ingest(self, line):
        count, file = self.signal.count, self.folder / "rows"
        with self.memory.watched("in"):
            self.figures.record("in", OURS, count / line.append(self.bodies, count))
        # Whoever reads first would otherwise pay for what the rows' commit left to do.
        psql(self.postgres, "VACUUM (ANALYZE) vitals.device_timeseries, vitals.device_rollups", "TRUNCATE public.copied")
        ordered = f'SELECT {COLUMNS} FROM vitals.device_timeseries WHERE {self.rows} ORDER BY "timestamp", sequence'
        self.figures.record("raw", COPY, count / timed(self.postgres, f"\\copy ({ordered}) TO '{file}' (FORMAT binary)"))
        self.figures.record("in", COPY, count / timed(self.postgres, f"\\copy public.copied ({COLUMNS}) FROM '{file}' (FORMAT binary)"))
        file.unlink()

    def plots(self, line):
        for what, points, times in (("first plot", POINTS, 1), ("plot", POINTS, REPEATS), ("large plot", MOST_POINTS, 1)):
            with self.memory.watched(what):
                for _ in range(times):
                    self.figures.record(what, OURS, line.plot(points)[0])

    def buckets(self, line):
        for seconds, times in ((HOUR, REPEATS), (TEN_MINUTES, 1)):
            for _ in range(times):
                with self.memory.watched(f"buckets of {seconds}"):
                    self.figures.record(f"buckets of {seconds}", OURS, line.buckets(seconds)[0])
                self.figures.record(f"buckets of {seconds}", GROUP, timed(self.postgres, self.grouped(seconds)))

    def grouped(self, seconds):
        return f"""
            SELECT b.starts_at, b.count, b.least, b.greatest, b.mean, l.value FROM (
                SELECT date_bin('{seconds} seconds', "timestamp", {EPOCH}) AS starts_at, count(*) AS count, min(value) AS least,
                       max(value) AS greatest, avg(value) AS mean, max("timestamp") AS last_at
                FROM vitals.device_timeseries WHERE {self.rows} GROUP BY 1
            ) b CROSS JOIN LATERAL (
                SELECT value FROM vitals.device_timeseries WHERE {self.rows} AND "timestamp" = b.last_at ORDER BY sequence DESC LIMIT 1
            ) l ORDER BY 1"""

    def raw(self, line):
        with self.memory.watched("raw"):
            taken, answers = line.read(raw=service.RawSamples())
        self.figures.record("raw", OURS, self.signal.count / taken)
        found = [(one.at.seconds * MICROSECONDS + one.at.nanos // 1_000, one.sequence, one.value) for answer in answers for one in answer.samples]
        self.wrong["samples"] += differing(found, self.signal.samples)

    def late_samples(self, line):
        """Gives the plot that has them."""
        with self.memory.watched("late"):
            self.figures.record("late", OURS, line.append(self.late, len(self.signal.late)))
        with self.memory.watched("plot after late"):
            taken, plot = line.plot()
        self.figures.record("plot after late", OURS, taken)
        self.wrong["rollups"] += int(psql(self.postgres, self.rollups_that_differ()))
        for seconds, expected in self.recomputed.items():
            self.wrong["buckets"] += differing(line.buckets(seconds)[1], expected)
        return plot

    def rollups_that_differ(self):
        """Or are stale, or are missing."""
        return f"""
            WITH truth AS (
                SELECT w.hours, date_bin(make_interval(hours => w.hours), t."timestamp", {EPOCH}) AS starts_at, count(*) AS sample_count,
                       sum(t.value::numeric) AS total, min(t.value) AS least, max(t.value) AS greatest, max(t."timestamp") AS last_at
                FROM vitals.device_timeseries t CROSS JOIN (VALUES (1), (24)) AS w (hours) WHERE {self.rows} GROUP BY 1, 2
            ), kept AS (
                SELECT hours::integer AS hours, starts_at, is_stale, sample_count, total, least, greatest, last_at
                FROM vitals.device_rollups WHERE {self.rows}
            )
            SELECT count(*) FROM truth t FULL JOIN kept k USING (hours, starts_at)
            WHERE (k.is_stale, k.sample_count, k.total, k.least, k.greatest, k.last_at)
                  IS DISTINCT FROM (false, t.sample_count, t.total, t.least, t.greatest, t.last_at)"""

    def plots_meanwhile(self, one, other, plot):
        """The same plot over and over by another connection while one writes to the same series, behind the end of the plot."""
        count = len(self.signal.more)
        with self.memory.watched("plot meanwhile"), concurrent.futures.ThreadPoolExecutor(1) as threads:
            writing = threads.submit(one.append, self.more, count)
            while True:
                taken, found = other.plot()
                self.figures.record("plot meanwhile", OURS, taken)
                self.wrong["plots"] += found != plot
                if writing.done():
                    break
            self.figures.record("in meanwhile", OURS, count / writing.result())


# What is measured, as the table names it.
RATES = {"in": "in by one stream", "in meanwhile": "in, while plots are read", "raw": "raw, all of them"}
SECONDS = {
    "first plot": f"plot of {POINTS:,} points, first", "plot": f"plot of {POINTS:,} points", "plot meanwhile": f"plot of {POINTS:,} points, while samples come in",
    "large plot": f"plot of {MOST_POINTS:,} points", f"buckets of {HOUR}": "buckets of an hour", f"buckets of {TEN_MINUTES}": "buckets of ten minutes",
    "late": f"{LATE:,} late samples", "plot after late": f"plot of {POINTS:,} points, after these",
}


def report(benchmark):
    table, figures, memory = Report("series"), benchmark.figures, benchmark.memory
    for names, unit in ((RATES, "samples/s"), (SECONDS, "s")):
        for what, name in names.items():
            for who in (OURS, COPY, GROUP):
                value = figures.median(what, who)
                if value is not None:
                    table.row(name, who, unit, round(value) if unit == "samples/s" else round(value, 4))
    for what, grown in memory.grown.items():
        table.row(f"{(RATES | SECONDS)[what]}: Vitals grows by", OURS, "MB", round(grown, 1))
    table.row("most memory of Vitals", OURS, "MB", round(memory.peak))

    table.at_least("in: ours / the copy", 0.5, round(figures.ratio("in", OURS, COPY), 2))
    table.at_least("in, samples/s", 65_000, round(figures.median("in", OURS)))
    table.at_least("raw, samples/s", 220_000, round(figures.median("raw", OURS)))
    for what, bound in (("first plot", 3), ("plot", 0.2), ("large plot", 3.3), ("late", 0.6), ("plot after late", 3)):
        table.at_most(SECONDS[what], bound, round(figures.median(what, OURS), 3), " s")
    table.at_most("buckets of an hour: ours / the GROUP BY", 1, round(figures.ratio(f"buckets of {HOUR}", OURS, GROUP), 2))
    table.at_most("buckets of ten minutes: ours / the GROUP BY", 5, round(figures.ratio(f"buckets of {TEN_MINUTES}", OURS, GROUP), 2))
    table.at_most("plot: while samples come in / alone", 2, round(figures.median("plot meanwhile", OURS) / figures.median("plot", OURS), 2))
    table.at_least("in: while plots are read / alone", 0.5, round(figures.ratio("in meanwhile", OURS, OURS, of="in"), 2))
    table.at_most("Vitals grows by", 64, round(max(memory.grown.values()), 1), " MB")
    for what, number in benchmark.wrong.items():
        table.at_most(f"{what} that are not what they should be", 0, number)
    table.show()
    table.write()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000, help="samples")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bin-path", default=str(ROOT / ".build/release"))
    options = parser.parse_args()
    with started(pathlib.Path(options.bin_path).resolve(), HEARTGUARD_RATE_LIMIT_USER="1000000") as (cluster, folder):
        benchmark = Benchmark(cluster, folder, options.count)
        for number in range(options.rounds):
            benchmark.round(number)
        report(benchmark)


if __name__ == "__main__":
    main()
