"""`heartguard audit`: what nobody changed holds, also after kill -9, and what somebody changed is named."""

import os
import subprocess
import threading

import grpc
import pytest
from client.accesses import Trace, listed
from client.people import register
from heartguard.users.v1.users_service_pb2 import GetProfileRequest
from processes import kill
from waiting import until

MINUTES = 180.0


@pytest.fixture
def audit(cluster):
    program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")

    def run(*arguments, succeeds: bool = True) -> str:
        command = [program, "audit", *map(str, arguments), "--state-dir", str(cluster.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=MINUTES)
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        return done.stdout

    return run


def psql(cluster, sql: str) -> str:
    store, role = cluster.read()["stores"]["postgres"], cluster.credentials["postgres"]["superuser"]
    command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command", sql]
    environment = os.environ | {
        "PGHOST": store["host"], "PGPORT": str(store["port"]), "PGDATABASE": store["database"],
        "PGUSER": role["user"], "PGPASSWORD": role["password"],
    }
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def test_a_kill_leaves_every_answered_call_on_record(cluster, direct, audit):
    person = register(direct.users)
    answered: list[str] = []
    stop = threading.Event()

    def read():
        while not stop.is_set():
            trace = Trace()
            try:
                direct.users.GetProfile(GetProfileRequest(), metadata=person.metadata + trace.metadata, timeout=10)
                answered.append(trace.id)
            except grpc.RpcError:
                pass

    readers = [threading.Thread(target=read) for _ in range(8)]
    for reader in readers:
        reader.start()
    for _ in range(3):
        begun = len(answered)
        until(lambda: len(answered) > begun + 20, "calls are answered")
        kill(cluster, "users")
    begun = len(answered)
    until(lambda: len(answered) > begun + 20, "calls are answered")
    stop.set()
    for reader in readers:
        reader.join()

    traces = [event.trace_id for event in listed(direct, person) if event.method == "GetProfile"]
    assert set(answered) <= set(traces)
    assert len(traces) == len(set(traces))
    assert "checked against" in audit("verify")


def test_what_is_changed_is_named(cluster, direct, audit, tmp_path):
    person = register(direct.users)
    for _ in range(5):
        person.calls(direct.users.GetProfile, GetProfileRequest())
    anchors = tmp_path / "anchors"
    until(lambda: len(listed(direct, person)) > 5, "the calls are on record")
    audit("anchor", "--to", anchors)
    once = anchors.read_text()
    audit("anchor", "--to", anchors)
    assert once
    assert anchors.read_text().startswith(once)
    assert len(anchors.read_text().splitlines()) >= 2 * len(once.splitlines())
    audit("verify", "--anchors", anchors)
    audit("verify", "--anchors", anchors, "--without-redis", "--since", "2026-01-01T00:00:00Z")

    where = psql(
        cluster,
        "SELECT writer || ' ' || sequence FROM heartguard.audit_log"
        f" WHERE user_id = '{person.user.id}' AND method = 'GetProfile' ORDER BY occurred_at LIMIT 1",
    )
    writer, sequence = where.split()
    row = f"writer = '{writer}' AND sequence = {sequence}"
    psql(cluster, f"UPDATE heartguard.audit_log SET method = 'GetNothing' WHERE {row}")
    assert f"chain {writer}, event {sequence}: it was edited" in audit("verify", succeeds=False)
    psql(cluster, f"UPDATE heartguard.audit_log SET method = 'GetProfile' WHERE {row}")
    audit("verify", "--anchors", anchors)
