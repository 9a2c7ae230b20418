"""`heartguard audit`: what nobody changed holds, also after kill -9, and what somebody changed is named."""

import datetime
import hashlib
import os
import subprocess
import threading
import uuid

import grpc
import pytest
from client.accesses import Trace, listed
from client.people import register
from database import held, psql
from heartguard.users.v1.access_log_service_pb2 import ListAccessEventsRequest
from heartguard.users.v1.users_service_pb2 import GetProfileRequest
from processes import kill
from waiting import until

MINUTES = 180.0


def command(cluster, *arguments) -> list[str]:
    program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")
    return [program, "audit", *map(str, arguments), "--state-dir", str(cluster.state)]


@pytest.fixture
def audit(cluster):
    def run(*arguments, succeeds: bool = True) -> str:
        done = subprocess.run(command(cluster, *arguments), capture_output=True, text=True, timeout=MINUTES)
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        return done.stdout

    return run


def add_old_chain(cluster, file, count: int) -> str:
    """A chain as a process would have written it in 2018. Answers whose it is."""

    def part(value: bytes | None) -> bytes:
        return b"\xff" * 4 if value is None else len(value).to_bytes(4, "big") + value

    def number(value: int) -> bytes:
        return part(value.to_bytes(8, "big"))

    writer, person, trace = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    start = datetime.datetime(2018, 1, 1, tzinfo=datetime.UTC)
    known = b"".join(map(part, (person.bytes, person.bytes, b"user", None, b"s", b"m", b"read", None, b"PATRQT"))) + number(0)
    known += part(trace.bytes) + part(b"r")
    before = bytes(32)
    with file.open("w") as rows:
        for sequence in range(1, count + 1):
            moment = start + datetime.timedelta(milliseconds=sequence)
            microseconds = int(start.timestamp()) * 1_000_000 + sequence * 1_000
            said = b"\x01" + part(writer.bytes) + number(sequence) + number(microseconds) + known
            digest = hashlib.sha256(before + said).digest()
            rows.write(
                f"{writer},{sequence},{moment.isoformat()},{person},{person},user,,s,m,read,,PATRQT,0,{trace},r,"
                f"\\x{before.hex()},\\x{digest.hex()}\n"
            )
            before = digest
    psql(cluster, f"\\copy heartguard.audit_log FROM '{file}' (FORMAT csv)")
    return str(writer)


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


def test_a_kill_of_archiving_leaves_every_event_in_the_file_and_it_goes_on(cluster, direct, audit, tmp_path):
    writer = add_old_chain(cluster, tmp_path / "chain.csv", 45_000)
    file = tmp_path / "archive.jsonl"
    arguments = ("archive", "--before", "2019-01-01", "--to", file)

    def base() -> str:
        return psql(cluster, f"SELECT sequence FROM heartguard.audit_bases WHERE writer = '{writer}'")

    assert "would move 45,000 events of 1 chains" in audit(*arguments, "--dry-run")
    assert not file.exists()
    assert audit("archive", "--before", "2026-11-01", "--to", file, succeeds=False) == ""
    with held(cluster, "heartguard.audit_log", f"writer = '{writer}' AND sequence = 25000"):
        archiving = subprocess.Popen(command(cluster, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: base() == "20000", "two parts have left the log", within=MINUTES)
        archiving.kill()
        archiving.wait()
        content = file.read_bytes()
        assert len(content.splitlines()) == 45_002
        assert base() == "20000"
        assert psql(cluster, f"SELECT count(*) FROM heartguard.audit_log WHERE writer = '{writer}'") == "25000"
        audit("verify")
        audit("verify", "--archive", file)

    assert "45,000 events of 1 chains" in audit(*arguments)
    assert file.read_bytes() == content
    assert base() == "45000"
    assert psql(cluster, f"SELECT count(*) FROM heartguard.audit_log WHERE writer = '{writer}'") == "0"
    digest = psql(cluster, f"SELECT encode(archive, 'hex') FROM heartguard.audit_bases WHERE writer = '{writer}'")
    assert digest == hashlib.sha256(content).hexdigest()
    audit(*arguments, succeeds=False)
    audit("verify")
    audit("verify", "--archive", file)
    told = register(direct.users).calls(direct.access_log.ListAccessEvents, ListAccessEventsRequest())
    assert told.complete_since.ToDatetime() == datetime.datetime(2019, 1, 1)

    file.write_bytes(content.replace(b'"PATRQT"', b'"TREAT"', 1))
    said = audit("verify", "--archive", file, succeeds=False)
    assert f"chain {writer}, event 1: it was edited" in said
    assert "it does not hold what its manifest says" in said
    short = content.splitlines(keepends=True)
    file.write_bytes(b"".join([short[0], *short[30_001:]]))
    assert f"chain {writer}, event 1: it and all through 30000 are missing" in audit("verify", "--archive", file, succeeds=False)
