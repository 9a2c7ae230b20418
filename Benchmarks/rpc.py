#!/usr/bin/env python3
"""What a call costs: our RPC runtime beside its limit and its peers, each a server of grpc.testing.BenchmarkService.

    limit         C straight on nghttp2 and epoll: nothing that does more can be cheaper
    bare          ours, the bytes handed back unread, no interceptor
    full          ours, with contracts decoded and encoded and the interceptors that every service runs
    grpc-go       Debian's, bytes unread
    grpc-swift-2  bytes unread
    grpcio        PyPI's, bytes unread

One thread of h2load on one core loads one server on another, without TLS, every call with a deadline of 10 s. All servers
stay up for the whole session and take turns, so that what a machine does to one in a round it does to all; the figures
are medians over the rounds, and the ratios medians of the ratios within each round.

Expected, before measuring. Prototypes took 2.0 and 1.7 µs of CPU a call for the limit at 1×100 and 8×100 (connections ×
streams), nghttp2 under NIO 3.2 and 2.4, grpc-go 9.5 and 12.8, grpc-swift-2 86 and 94, with 442, 381, 79 and 11 thousand
calls a second at 8×100. A runtime adds a task, a context, a deadline and a table look-up to nghttp2 under NIO, some
0.6 µs, and everything else that a service needs (protobuf-c in both directions, two interceptors) 0.8 µs: bare 3.0 and
full 3.8 µs at 8×100, twice the limit. At 1×1 one system call in each direction is most of the time for everybody. Large
messages are copies and system calls, so ours should keep 0.8 of the limit's rate.

Usage: Benchmarks/rpc.py [--rounds N] [--seconds S] [--quick] [--only NAME,…] [--soak S] [--no-build]
"""
import argparse, json, os, pathlib, shutil, signal, statistics, subprocess, sys, tempfile, time

from harness import h2load, verify
from harness.figures import Figures
from harness.h2load import Shape
from harness.idle import IdleConnections
from harness.process import Server, pin
from harness.report import FOLDER, Report
from harness.rpc_peers import CLIENTS, PEERS, PROGRAMS, Missing

ONE, HUNDRED, EIGHT = Shape(1, 1), Shape(1, 100), Shape(8, 100)
LARGE = Shape(1, 8)
STREAMS = Shape(1, 8)
MESSAGES_PER_STREAM = 1000
IDLE_CONNECTIONS = 10_000
PARTS = ["rates", "onecore", "large", "stream", "client", "idle", "soak"]


class Session(Figures):
    """The servers that take part, and what has been measured of them so far: one list of a figure for each round."""

    def __init__(self, options, folder):
        super().__init__()
        self.options, self.folder = options, folder
        cores = sorted(os.sched_getaffinity(0))
        self.server_core, self.load_core = cores[0], cores[-1]
        self.servers, self.rates = {}, {}
        self.bodies = {}

    def body(self, payload_bytes):
        """A file with one request in its frame, and how long it is, which is how long the answer is as well."""
        if payload_bytes not in self.bodies:
            message = verify.message(3, payload_bytes)
            file = self.folder / f"{payload_bytes}"
            file.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)
            self.bodies[payload_bytes] = file, len(message) + 5
        return self.bodies[payload_bytes]

    def start(self, peer):
        server = Server(peer.name, peer.command, self.server_core, FOLDER / f"{peer.name}.log")
        self.servers[peer.name] = server
        server.wait()
        kind = "contracts" if peer.reads_contracts else "raw"
        subprocess.run([sys.executable, verify.__file__, str(server.port), kind], check=True)

    def stop(self):
        for server in self.servers.values():
            server.stop()

    def load(self, name, shape, seconds, payload_bytes=100, method="UnaryCall", core=None, log=False):
        """Loads a server for about so long, and returns the load and the CPU microseconds that each request took."""
        server = self.servers[name]
        file, size = self.body(payload_bytes)
        answer = size * (MESSAGES_PER_STREAM if method == "StreamingFromServer" else 1)
        core = self.load_core if core is None else core

        def run(requests, log):
            return h2load.run(server.port, method, file, shape, requests, core, answer, log)

        # The first run of its kind says how many requests fill the time, and warms the server up.
        kind = (name, shape, payload_bytes, method, core)
        at_once = shape.connections * shape.streams
        if kind not in self.rates:
            trial = run(at_once * 4, False)
            self.rates[kind] = run(max(at_once, int(trial.rate * 0.3)), False).rate
        requests = max(at_once, int(self.rates[kind] * seconds))
        before = server.cpu_seconds()
        load = run(requests, log)
        cpu = (server.cpu_seconds() - before) / load.requests * 1e6
        self.rates[kind] = load.rate
        return load, cpu

    # The parts

    def measure_rates(self):
        for shape in (ONE, HUNDRED, EIGHT):
            for name in self.servers:
                load, cpu = self.load(name, shape, self.options.seconds)
                self.record(f"{shape}: CPU a call", name, cpu)
                self.record(f"{shape}: calls", name, load.rate)
                # Writing the log costs h2load itself, so latencies have a shorter run of their own.
                load, _ = self.load(name, shape, self.options.seconds / 3, log=True)
                self.record(f"{shape}: p50", name, load.percentile(0.5))
                self.record(f"{shape}: p99", name, load.percentile(0.99))

    def measure_onecore(self):
        for name in self.servers:
            load, _ = self.load(name, ONE, self.options.seconds / 3, core=self.server_core, log=True)
            self.record(f"{ONE} on one core: p50", name, load.percentile(0.5))

    def measure_large(self):
        for size, what in ((100_000, "100 KB"), (1_000_000, "1 MB")):
            for name in self.servers:
                load, cpu = self.load(name, LARGE, self.options.seconds, payload_bytes=size)
                self.record(f"{what} messages: each way", name, load.rate * size / 1e6)
                self.record(f"{what} messages: CPU a call", name, cpu)

    def measure_stream(self):
        for name in self.servers:
            load, cpu = self.load(name, STREAMS, self.options.seconds, method="StreamingFromServer")
            self.record("server stream: messages", name, load.rate * MESSAGES_PER_STREAM)
            self.record("server stream: CPU a message", name, cpu / MESSAGES_PER_STREAM)

    def measure_client(self):
        for name, command in CLIENTS.items():
            if name not in self.servers:
                continue
            for concurrency in (1, 100):
                self._client(name, command, concurrency, f"own client, {concurrency} at a time")
            if name == "full":
                self._client(name, lambda *arguments: command(*arguments) + ["--elsewhere"], 100,
                             "own client, 100 at a time from other threads")

    def _client(self, name, command, concurrency, what):
        kind = (name, what)
        if kind not in self.rates:
            self.rates[kind] = self._call(name, command, concurrency, 2_000)["rate"]
        answer = self._call(name, command, concurrency, max(1_000, int(self.rates[kind] * self.options.seconds)))
        self.rates[kind] = answer["rate"]
        self.record(f"{what}: calls", name, answer["rate"])
        self.record(f"{what}: CPU a call", name, answer["cpu_us_per_call"])

    def _call(self, name, command, concurrency, calls):
        text = subprocess.run(command(self.servers[name].port, concurrency, calls), check=True, capture_output=True, text=True,
                              preexec_fn=pin(self.load_core)).stdout
        answer = json.loads(text)
        return answer | {"rate": answer["calls"] / answer["seconds"]}

    def measure_idle(self):
        """In servers of their own, whose memory nothing else has touched."""
        for what, message in (("idle connection", None), ("idle connection after a call", verify.message(3, 100))):
            for peer in PEERS:
                if peer.name in self.servers and peer.name != "grpcio":
                    self.record(what, peer.name, self._idle(peer, message))

    def _idle(self, peer, message):
        server = Server(peer.name, peer.command, self.server_core, FOLDER / f"{peer.name}-idle.log")
        try:
            server.wait()
            IdleConnections(server.port, 100, message).close()
            time.sleep(0.5)
            before = server.resident_bytes()
            connections = IdleConnections(server.port, IDLE_CONNECTIONS, message)
            time.sleep(0.5)
            grown = server.resident_bytes() - before
            connections.close()
            return grown / IDLE_CONNECTIONS / 1e3
        finally:
            server.stop()

    def soak(self, seconds):
        """Loads ours in every way in turn. What it grows by is the median of the last fifth over that of the second:
        in the first, buffers reach their size."""
        server, samples = self.servers["full"], []
        end = time.monotonic() + seconds
        began = time.monotonic()
        while time.monotonic() < end:
            self.load("full", EIGHT, 1)
            self.load("full", STREAMS, 0.5, method="StreamingFromServer")
            self.load("full", LARGE, 0.5, payload_bytes=100_000)
            samples.append((time.monotonic() - began, server.resident_bytes()))
        span = samples[-1][0]
        early = statistics.median(bytes for at, bytes in samples if span * 0.2 <= at <= span * 0.4)
        late = statistics.median(bytes for at, bytes in samples if at >= span * 0.8)
        self.record("memory after the soak", "full", late / 1e6)
        self.record("growth over the soak", "full", (late - early) / 1e6)


UNITS = [("CPU a", "µs"), ("calls", "1/s"), ("messages: each way", "MB/s"), ("stream: messages", "1/s"), ("p50", "µs"),
         ("p99", "µs"), ("idle", "KB"), ("soak", "MB")]


def unit(what):
    return next(unit for part, unit in UNITS if part in what)


def report(session, missing):
    result = Report("rpc")
    for (what, who), values in session.figures.items():
        result.row(what, who, unit(what), round(statistics.median(values), 3))
    for name, why in missing.items():
        result.missing(name, why)

    def rounded(value):
        return None if value is None else round(value, 3)

    parts = session.options.parts
    if "rates" in parts:
        for shape in (HUNDRED, EIGHT):
            cpu = f"{shape}: CPU a call"
            result.at_most(f"CPU a call at {shape}, full / limit", 2.5, rounded(session.ratio(cpu, "full", "limit")))
            result.at_most(f"CPU a call at {shape}, full / grpc-go", 0.333, rounded(session.ratio(cpu, "full", "grpc-go")))
        calls = f"{EIGHT}: calls"
        result.at_least(f"calls/s at {EIGHT}, full / grpc-go", 3, rounded(session.ratio(calls, "full", "grpc-go")))
        result.at_least(f"calls/s at {EIGHT}, full / grpc-swift-2", 25, rounded(session.ratio(calls, "full", "grpc-swift-2")))
        result.at_most(f"p99 at {HUNDRED}, full / limit", 2, rounded(session.ratio(f"{HUNDRED}: p99", "full", "limit")))
    if "onecore" in parts:
        what = f"{ONE} on one core: p50"
        result.at_most("p50 at 1×1 on one core, full / limit", 1.5, rounded(session.ratio(what, "full", "limit")))
    if "large" in parts:
        for size in ("100 KB", "1 MB"):
            what = f"{size} messages: each way"
            result.at_least(f"bytes/s with {size} messages, full / limit", 0.8, rounded(session.ratio(what, "full", "limit")))
    if "client" in parts:
        what = "own client, 100 at a time"
        result.at_most("our client, 100 at a time, CPU a call", 3.5, rounded(session.median(f"{what}: CPU a call", "full")), " µs")
        result.at_least("our client and server / grpc-swift-2's, calls/s", 25,
                        rounded(session.ratio(f"{what}: calls", "full", "grpc-swift-2")))
    if "idle" in parts:
        for what in ("idle connection", "idle connection after a call"):
            result.at_most(f"{IDLE_CONNECTIONS:,} × {what}, each", 20, rounded(session.median(what, "full")), " KB")
    if "soak" in parts:
        growth, size = session.median("growth over the soak", "full"), session.median("memory after the soak", "full")
        share = None if growth is None else rounded(growth / size)
        result.at_most(f"growth over {session.options.soak:g} s of load, of all memory", 0.02, share)
    result.show()
    if not session.options.is_partial:
        result.write()


def prepare(options):
    """Builds what takes part. Returns the peers that do, and why others do not."""
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    taking_part, missing, built = [], {}, set()
    for peer in PEERS:
        if options.peers and peer.name not in options.peers:
            continue
        try:
            if options.build and peer.build not in built:
                print(f"building {peer.name}", file=sys.stderr)
                peer.build()
                built.add(peer.build)
            if not pathlib.Path(peer.command[0]).exists():
                raise Missing("it has not been built")
            taking_part.append(peer)
        except Missing as reason:
            if peer.is_needed:
                sys.exit(f"bench-rpc: {peer.name} is needed, and {reason}")
            missing[peer.name] = str(reason)
    return taking_part, missing


def parse():
    names = [peer.name for peer in PEERS]
    parser = argparse.ArgumentParser(description="Measures the RPC runtime beside its limit and its peers.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each takes its turn (5)")
    parser.add_argument("--seconds", type=float, default=3, help="how long each load lasts (3)")
    parser.add_argument("--soak", type=float, default=600, metavar="SECONDS",
                        help="how long ours is loaded while its memory is watched (600)")
    parser.add_argument("--quick", action="store_true", help="one round of one second: does it all work")
    parser.add_argument("--only", default="", metavar="NAME,…",
                        help=f"some servers ({', '.join(names)}) or some parts ({', '.join(PARTS)}); writes no file")
    parser.add_argument("--no-build", dest="build", action="store_false", help="measure what was built before")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name]
    for name in chosen:
        if name not in names and name not in PARTS:
            parser.error(f"there is no server and no part called {name}")
    options.peers = [name for name in chosen if name in names]
    options.parts = [name for name in chosen if name in PARTS] or PARTS
    options.is_partial = bool(chosen)
    if options.quick:
        options.rounds, options.seconds, options.soak = 1, 1, min(options.soak, 10)
    return options


def measure(session):
    for number in range(session.options.rounds):
        for part in session.options.parts:
            if part == "soak" or (part == "idle" and number > 0):
                continue  # Memory does not vary from round to round.
            print(f"round {number + 1} of {session.options.rounds}: {part}", file=sys.stderr)
            getattr(session, f"measure_{part}")()
    if "soak" in session.options.parts and "full" in session.servers:
        print(f"soak, {session.options.soak:g} s", file=sys.stderr)
        session.soak(session.options.soak)


def main():
    options = parse()
    if not shutil.which("h2load"):
        sys.exit("bench-rpc: h2load is missing; it is in Debian's package nghttp2-client (Scripts/setup-bench)")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    taking_part, missing = prepare(options)
    with tempfile.TemporaryDirectory() as folder:
        session = Session(options, pathlib.Path(folder))
        try:
            for peer in taking_part:
                session.start(peer)
            measure(session)
        finally:
            session.stop()
        report(session, missing)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("bench-rpc: stopped")
