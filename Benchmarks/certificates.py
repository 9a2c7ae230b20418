#!/usr/bin/env python3
"""How long a certificate of the old authority is still accepted once the authority has been replaced, with calls going on.

A cluster of its own is started, each of its programs is called all the time with the certificate that the Gateway had, over one
connection that stays and over new ones, and `heartguard certificates rotate` replaces the authority. Time counts from the moment
at which the old authority is gone from `ca.crt`; refused is who was last answered before it.

Expected, before measuring: programs look at their files five times a second; a connection is told to begin no further calls at once,
and again 200 ms later, and is closed 600 ms later. New connections: up to 0.25 s. Calls on one that stays: up to 0.25 s, since a
client heeds the first GOAWAY.

Usage: Benchmarks/certificates.py [bin-path]   It starts a cluster of its own and removes it.
"""
import json, os, pathlib, statistics, subprocess, sys, threading, time

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # grpcio tells of every refusal, which is what is wanted here

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from harness.cluster import started
from harness.report import Report

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".build/release").resolve()
PROGRAMS = ["gateway", "users", "vitals", "chat", "vectors"]
ROUNDS = 3


class Caller(threading.Thread):
    """Calls one program with one certificate until it is told to stop, and remembers when it was last answered."""

    def __init__(self, address, credentials, stays):
        super().__init__(daemon=True)
        self.address, self.credentials, self.stays = address, credentials, stays
        self.last, self.answers, self.done = 0.0, 0, threading.Event()

    def run(self):
        channel = self.channel() if self.stays else None
        while not self.done.is_set():
            used = channel or self.channel()
            try:
                health_pb2_grpc.HealthStub(used).Check(health_pb2.HealthCheckRequest(), timeout=2)
                self.last, self.answers = time.monotonic(), self.answers + 1
            except grpc.RpcError:
                pass
            if used is not channel:
                used.close()
            time.sleep(0.01)

    def channel(self):
        # Connections are shared between channels unless that is forbidden.
        return grpc.secure_channel(self.address, self.credentials, [("grpc.use_local_subchannel_pool", 1)])


def authorities(file):
    try:
        return file.read_bytes()
    except OSError:
        return b""


def measure(state):
    cluster = json.loads((state / "cluster.json").read_text())
    trust = pathlib.Path(cluster["tls"]["ca"])
    old = authorities(trust)
    key, certificate = ((trust.parent / f"gateway.{end}").read_bytes() for end in ("key", "crt"))
    ports = {name: cluster["services"][name]["port"] for name in PROGRAMS[1:]} | {"gateway": cluster["gateway"]["grpc"]}
    rotate = subprocess.Popen([str(BIN / "heartguard"), "certificates", "rotate", "--state-dir", str(state), "--pause", "3"],
                              stdout=subprocess.DEVNULL)

    def until(holds):
        while not holds(authorities(trust)):
            assert rotate.poll() in (None, 0), "the authority could not be replaced"
            time.sleep(0.002)

    # Both authorities are trusted for a while; who calls here trusts both, so that only its own certificate is in question.
    until(lambda now: old.strip() in now and now.strip() != old.strip())
    credentials = grpc.ssl_channel_credentials(authorities(trust), key, certificate)
    callers = {
        (name, stays): Caller(f"localhost:{ports[name]}", credentials, stays) for name in PROGRAMS for stays in (True, False)}
    for caller in callers.values():
        caller.start()
    until(lambda now: now and old.strip() not in now)
    gone = time.monotonic()
    time.sleep(3)
    rotate.wait()
    for caller in callers.values():
        caller.done.set()
    for (name, stays), caller in callers.items():
        caller.join()
        assert caller.last > gone - 0.5, f"{name} had refused the old certificate before its authority was gone"
    return {of: max(0.0, caller.last - gone) for of, caller in callers.items()}


def main():
    with started(BIN) as (cluster, _):
        rounds = [measure(pathlib.Path(cluster["state"])) for _ in range(ROUNDS)]
    report = Report("certificates")
    kinds = {True: "last call answered on a connection that stays", False: "last new connection answered"}
    for stays, what in kinds.items():
        for name in PROGRAMS:
            report.row(what, name, "ms", round(1000 * statistics.median(round[name, stays] for round in rounds)))
    worst = max(value for round in rounds for value in round.values())
    report.row("the longest of all", "heartguard", "ms", round(1000 * worst))
    report.at_most("an old certificate is refused within a second", 1000, round(1000 * worst), " ms")
    report.show()
    report.write()


main()
