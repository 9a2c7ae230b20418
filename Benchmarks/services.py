#!/usr/bin/env python3
"""Six calls of an app, at 64 connections, of HeartGuard's JSON door and of a Python peer (Benchmarks/services/peer.py: FastAPI, two uvicorn
processes, asyncpg, redis-py) over the same tables, row-level security and Redis. wrk drives both in turn over TLS, 64 people in rotation.
Both authenticate and count every call.

Expected, before measuring. Of the peer: a call costs it some 0.5 to 0.8 ms of Python (uvicorn and FastAPI 0.2, an ES256 signature 0.1, two Redis
calls 0.15 each, a transaction of asyncpg with its identity 0.3), so two processes on two cores, which the database and wrk share, come to 1,000
to 1,500 calls/s. Of ours: two programs are passed (Gateway and service), each with one Redis look-up, the Gateway with HTTP/1.1 and TLS and the
limiter's script: some 0.12 ms of CPU for a cached read, 0.25 ms with Postgres, so 8,000 to 12,000 and 4,000 to 6,000 calls/s. A read of what is
cached should come out at ten times the peer, a write, whose cost is Postgres' on both sides, at three to five.

Recording in bulk, 1,000 readings a call by four connections, stands beside `psql \\copy` of the very same rows into a table of the same columns, indexes
and checks, which is what the database takes at best. An insertion also looks for readings that are there already, and reads of each row what became of it:
expected is half the rate of the copy, on two cores that also parse JSON.

Usage: Benchmarks/services.py [--quick] [--bin-path PATH]   It starts a cluster of its own and removes it.
"""
import argparse, base64, concurrent.futures, contextlib, http.client, json, os, pathlib, shutil, socket, ssl, statistics, subprocess, sys, time
import urllib.request

from harness.cluster import psql, started, timed
from harness.process import free_port
from harness.report import Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
CALLS = {
    "record 1": "record one reading", "record 100": "record 100 readings", "latest": "newest readings", "append": "append a message",
    "list": "list 50 messages", "overview": "overview",
}
CACHED = ("latest", "overview")
CONNECTIONS, PEOPLE = 64, 64


def call(base, ca, path, body, token=None):
    request = urllib.request.Request(f"{base}{path}", data=json.dumps(body).encode(), headers={"content-type": "application/json"})
    if token:
        request.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca)) as answer:
        return json.load(answer)


def person(base, ca, number):
    """Somebody with 200 readings of two kinds and a conversation of 200 messages."""
    account = {"email": f"bench{number}@heartguard.test", "password": "a phrase for a benchmark", "name": f"Bench {number}"}
    token = call(base, ca, "/v1/users", account)["tokens"]["accessToken"]
    call(base, ca, "/v1/observations", {"observations": [
        {"code": code, "quantity": {"value": str(60 + n % 40), "unit": unit}, "source": "first", "sequence": n + shift,
         "effectiveAt": f"2026-02-20T{n % 24:02}:{n % 60:02}:00Z"}
        for code, unit, shift in (("8867-4", "/min", 0), ("59408-5", "%", 1000)) for n in range(100)]}, token)
    session = call(base, ca, "/v1/chats", {"title": "Pulse"}, token)["session"]["id"]
    for start in (0, 100):
        call(base, ca, f"/v1/chats/{session}/messages", {"messages": [
            {"clientId": f"first {start + n}", "role": "ROLE_USER", "content": f"Message {start + n}: how was my pulse in the last week?"}
            for n in range(100)]}, token)
    return f"{token} {session}"


def drive(base, what, people, seconds, may_fail=False):
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", str(ROOT / "Benchmarks/services/load.lua"), base]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, BENCH_CALL=what, BENCH_PEOPLE=str(people)))
    line = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
    if done.returncode or line is None:
        raise RuntimeError(f"wrk could not measure: {done.stdout}{done.stderr}")
    result = json.loads(line.removeprefix("RESULT "))
    # What is refused is fast, and no answer.
    if result["failed"] and not may_fail:
        raise RuntimeError(f"{what} at {base}: {result['failed']} of {result['requests']} calls failed\n{done.stdout}")
    return {"rate": result["requests"] / result["microseconds"] * 1e6, "failed": result["failed"] / max(1, result["requests"])} | {name: result[name] / 1e3 for name in ("p50", "p95", "p99")}


class Peer:
    """Two processes of uvicorn with the certificate of the cluster's Gateway."""

    def __init__(self, cluster, folder):
        tls = pathlib.Path(cluster["tls"]["ca"]).parent
        self.port = free_port()
        self.log = folder / "peer.log"
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "peer:app", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "2",
                 "--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools",
                 "--ssl-certfile", str(tls / "gateway.crt"), "--ssl-keyfile", str(tls / "gateway.key")],
                cwd=ROOT / "Benchmarks/services", stdout=output, stderr=output, start_new_session=True,
                env=dict(os.environ, BENCH_CLUSTER=str(pathlib.Path(cluster["state"]) / "cluster.json")))
        self.base = f"https://127.0.0.1:{self.port}"

    def wait(self, seconds=60):
        """Returns when both processes accept connections, a moment after the first does."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                time.sleep(2)
                return
            time.sleep(0.1)
        raise RuntimeError(f"the peer does not answer: {self.log.read_text()[-3000:]}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            self.process.wait()


def register(cluster, folder):
    """Where the JSON door is, and the file of people whom wrk calls for."""
    base, ca = f"https://127.0.0.1:{cluster['gateway']['json']}", cluster["tls"]["ca"]
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        people = list(threads.map(lambda number: person(base, ca, number), range(PEOPLE)))
    file = folder / "people"
    file.write_text("\n".join(people) + "\n")
    return base, file


def measure(cluster, folder, rounds, seconds):
    base, file = register(cluster, folder)
    peer = Peer(cluster, folder)
    results = {(who, what): [] for what in CALLS for who in ("heartguard", "python")}
    try:
        peer.wait()
        for _ in range(rounds):
            for what in CALLS:
                for who, place in (("heartguard", base), ("python", peer.base)):
                    results[who, what].append(drive(place, what, file, seconds))
    finally:
        peer.stop()
    return results


class Bulk:
    """10,000 readings of somebody new by the JSON door, and the copy of their rows into a table like the one they are in."""

    CALLS, READINGS, CONNECTIONS = 10, 1_000, 4

    def __init__(self, cluster, folder):
        self.port, self.ca, self.folder = cluster["gateway"]["json"], cluster["tls"]["ca"], folder
        self.cluster = cluster
        psql(cluster, "CREATE TABLE public.copied (LIKE vitals.vitals INCLUDING ALL)")
        self.columns = psql(
            cluster, "SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns"
            " WHERE table_schema = 'vitals' AND table_name = 'vitals' AND is_generated = 'NEVER'").strip()

    def _bodies(self):
        for number in range(self.CALLS):
            yield json.dumps({"observations": [
                {"code": "8867-4", "quantity": {"value": str(60 + n % 40), "unit": "/min"}, "source": "bulk", "sequence": number * self.READINGS + n,
                 "effectiveAt": f"2026-02-{1 + n % 28:02}T{n % 24:02}:{n % 60:02}:{number:02}Z"}
                for n in range(self.READINGS)]}).encode()

    def _send(self, bodies, token):
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl.create_default_context(cafile=self.ca))
        for body in bodies:
            connection.request("POST", "/v1/observations", body, {"content-type": "application/json", "authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            if answer.status != 200:
                raise RuntimeError(f"readings in bulk were refused: {answer.status} {answer.read()[:300]}")
            recorded = json.loads(answer.read()).get("recordedCount")
            if recorded != self.READINGS:
                raise RuntimeError(f"{recorded} of {self.READINGS} readings were new")

    def round(self, number):
        """Readings and rows a second."""
        token = call(f"https://127.0.0.1:{self.port}", self.ca, "/v1/users", {
            "email": f"bulk{number}@heartguard.test", "password": "a phrase for a benchmark", "name": f"Bulk {number}"})["tokens"]["accessToken"]
        claims = token.split(".")[1]
        person = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
        bodies = list(self._bodies())
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(self.CONNECTIONS) as threads:
            list(threads.map(lambda part: self._send(bodies[part::self.CONNECTIONS], token), range(self.CONNECTIONS)))
        ours = self.CALLS * self.READINGS / (time.monotonic() - start)

        file = self.folder / "rows"
        psql(self.cluster, f"\\copy (SELECT {self.columns} FROM vitals.vitals WHERE user_id = '{person}') TO '{file}' (FORMAT binary)")
        return {"ours": ours, "copy": self.CALLS * self.READINGS / timed(self.cluster, f"\\copy public.copied ({self.columns}) FROM '{file}' (FORMAT binary)")}


def report(results, bulk):
    table = Report("services")

    def median(who, what, figure):
        return statistics.median(run[figure] for run in results[who, what])

    for what, name in CALLS.items():
        for who in ("heartguard", "python"):
            table.row(name, who, "calls/s", round(median(who, what, "rate")))
            for figure in ("p50", "p95", "p99"):
                table.row(f"{name}, {figure}", who, "ms", round(median(who, what, figure), 2))
    for what, name in CALLS.items():
        pairs = list(zip(results["heartguard", what], results["python", what]))
        table.at_least(f"{name}: calls/s, ours / the peer's", 10, round(statistics.median(a["rate"] / b["rate"] for a, b in pairs), 2))
        table.at_most(f"{name}: p99, ours / the peer's", 0.1, round(statistics.median(a["p99"] / b["p99"] for a, b in pairs), 3))
    for what in CACHED:
        table.at_most(f"{CALLS[what]}: p95 in ms", 10, round(median("heartguard", what, "p95"), 2))
    readings, rows = (statistics.median(run[who] for run in bulk) for who in ("ours", "copy"))
    table.row("record 10,000 readings, 1,000 a call", "heartguard", "readings/s", round(readings))
    table.row("record 10,000 readings, 1,000 a call", "psql \\copy", "readings/s", round(rows))
    # 100,000 a second, or half of what the database takes by COPY, whichever is less.
    wanted = min(1, statistics.median(100_000 / (0.5 * run["copy"]) for run in bulk))
    table.at_least("10,000 readings: rate, ours / half of the copy's", round(wanted, 2), round(statistics.median(run["ours"] / (0.5 * run["copy"]) for run in bulk), 2))
    table.show()
    table.write()


@contextlib.contextmanager
def asked(description):
    """What the command line says: a cluster whose limits nobody meets, a folder, and whether it is a first look."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round, for a first look")
    parser.add_argument("--bin-path", default=str(ROOT / ".build/release"))
    arguments = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is missing; Scripts/setup-bench services installs it")
    with started(pathlib.Path(arguments.bin_path).resolve(), HEARTGUARD_RATE_LIMIT_USER="10000000", HEARTGUARD_RATE_LIMIT_ANONYMOUS="100000") as (cluster, folder):
        yield cluster, folder, arguments.quick


def main():
    with asked(__doc__) as (cluster, folder, is_quick):
        rounds, seconds = (1, 2) if is_quick else (5, 4)
        in_bulk = Bulk(cluster, folder)
        bulk = [in_bulk.round(number) for number in range(rounds)]
        report(measure(cluster, folder, rounds, seconds), bulk)


if __name__ == "__main__":
    main()
