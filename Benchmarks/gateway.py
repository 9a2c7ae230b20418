#!/usr/bin/env python3
"""What the Gateway adds to a call: one read (GetLatestObservations), asked of Vitals itself and through the Gateway, and as
the limit a health check of the Gateway, which touches no store. h2load drives all three in turn, over TLS.

Expected, before measuring: a direct read costs the service a token from its cache, one Redis round trip (the blocklist)
and one pipelined Postgres transaction, some 0.1 ms of CPU in all with the stores' part. The Gateway adds its own
blocklist look-up, one Lua script (the limiter) and one more hop, about as much again: half of the direct rate.

Usage: Benchmarks/gateway.py [bin-path]   It starts a cluster of its own and removes it.
"""
import json, pathlib, re, shutil, ssl, statistics, subprocess, sys, urllib.request

from harness.cluster import started
from harness.report import Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/release").resolve()
ROUNDS, SECONDS, CONNECTIONS, STREAMS = 5, 3, 8, 16


def call(url, ca, body, token=None):
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"content-type": "application/json"})
    if token:
        request.add_header("authorization", f"Bearer {token}")
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=ca)) as answer:
        return json.load(answer)


def h2load(port, path, token, body):
    command = ["h2load", "-D", str(SECONDS), "--warm-up-time", "1", "-c", str(CONNECTIONS), "-m", str(STREAMS), "-t", "1",
               "-d", body, "-H", "content-type: application/grpc", "-H", "te: trailers",
               "-H", f"authorization: Bearer {token}", f"https://127.0.0.1:{port}{path}"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"([\d.]+) req/s", text)[1])
    statuses = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", text)
    assert statuses and statuses[3] == "0" and statuses[4] == "0", text
    return rate


def main():
    if not shutil.which("h2load"):
        sys.exit("h2load is missing; it is in Debian's package nghttp2-client")
    with started(BIN, HEARTGUARD_RATE_LIMIT_USER="10000000") as (cluster, folder):
        measure(cluster, folder / "empty")


def measure(cluster, empty):
    empty.write_bytes(bytes(5))  # an empty message in its frame
    base, ca = f"https://127.0.0.1:{cluster['gateway']['json']}", cluster["tls"]["ca"]
    token = call(f"{base}/v1/users", ca, {
        "email": "bench@heartguard.test", "password": "a phrase for a benchmark", "name": "Bench"})["tokens"]["accessToken"]
    call(f"{base}/v1/observations", ca, {"observations": [
        {"code": "8867-4", "quantity": {"value": str(60 + n % 40), "unit": "/min"}, "source": "bench", "sequence": n,
         "effectiveAt": f"2026-02-21T08:{n // 60:02}:{n % 60:02}Z"} for n in range(1000)]}, token)

    read = "/heartguard.vitals.v1.VitalsService/GetLatestObservations"
    lines = {
        "read, at Vitals itself": (cluster["services"]["vitals"]["port"], read),
        "read, through the Gateway": (cluster["gateway"]["grpc"], read),
        "health check of the Gateway": (cluster["gateway"]["grpc"], "/grpc.health.v1.Health/Check"),
    }
    rates = {what: [] for what in lines}
    for _ in range(ROUNDS):
        for what, (port, path) in lines.items():
            rates[what].append(h2load(port, path, token, str(empty)))
    medians = {what: statistics.median(list_) for what, list_ in rates.items()}
    ratio = statistics.median(through / direct for through, direct in zip(
        rates["read, through the Gateway"], rates["read, at Vitals itself"]))

    report = Report("gateway")
    for what, value in medians.items():
        report.row(what, "heartguard", "calls/s", round(value))
    report.row("through the Gateway / at Vitals itself", "heartguard", "ratio", round(ratio, 2))
    report.at_least("the Gateway keeps half of the direct rate", 0.5, round(ratio, 2))
    report.show()
    report.write()


main()
