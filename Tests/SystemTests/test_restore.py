"""`heartguard records restore`: the file that somebody took along elsewhere brings them here, and they find their records."""

import hashlib
import json
import os
import subprocess
import uuid

import pytest
from client.accesses import listed
from client.exports import records_of, taken
from client.people import log_in, new_email, new_password
from heartguard.chat.v1.chat_service_pb2 import ArchiveSessionRequest, ListMessagesRequest, ListSessionsRequest
from test_erasure import fill

# Their bytes are in no export, so agents begin anew.
LEFT_OUT = {"chat.checkpoints", "chat.checkpoint_threads"}


@pytest.fixture
def restore(cluster, tmp_path):
    """Restores a file as an operator does, with a password, and answers what the command printed."""
    program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")

    def run(content: bytes, password: str, *options: str, succeeds: bool = True) -> str:
        file, secret = tmp_path / "records.jsonl", tmp_path / "password"
        file.write_bytes(content)
        secret.write_text(password + "\n")
        command = [program, "records", "restore", file, "--password-file", secret, "--state-dir", cluster.state, *options]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        return done.stdout if succeeds else done.stderr

    return run


def elsewhere(content: bytes, person, email: str) -> bytes:
    """The file as a cluster had written it that knows the same person by another id and another address."""
    text = content.decode().replace(person.user.id, str(uuid.uuid4())).replace(person.email, email)
    *lines, last = text.splitlines(keepends=True)
    before = "".join(lines).encode()
    manifest = json.loads(last)["manifest"] | {"bytes": len(before), "sha256": hashlib.sha256(before).hexdigest()}
    return before + json.dumps({"manifest": manifest}).encode() + b"\n"


def test_who_is_restored_signs_in_and_finds_their_records(direct, ada, restore):
    fill(direct, ada)
    session = ada.calls(direct.chat.ListSessions, ListSessionsRequest()).sessions[0]
    ada.calls(direct.chat.ArchiveSession, ArchiveSessionRequest(session_id=session.id))
    email, password = new_email(), new_password()
    content = elsewhere(taken(direct, ada)[1], ada, email)

    assert "would restore" in restore(content, password, "--dry-run")
    said = restore(content, password)

    assert "vitals.vitals: 100" in said and "chat.checkpoints: 1, " in said
    twin = log_in(direct.users, email, password)
    again = records_of(taken(direct, twin)[1])
    for table, records in records_of(content).items():
        if table == "users.sessions":
            assert all(session["ended_at"] for session in again[table] if session["id"] == records[0]["id"])
        elif table == "chat.session_archives":  # the checksum is of the person's id too
            assert [record["title"] for record in again[table]] == [record["title"] for record in records]
        else:
            assert again[table] == ([] if table in LEFT_OUT else records), table
    messages = twin.calls(direct.chat.ListMessages, ListMessagesRequest(session_id=session.id)).messages
    assert [message.content for message in messages] == ["Hello"] * 3
    assert any("restore records" in event.description for event in listed(direct, twin))
    assert "is in this cluster already" in restore(content, password, succeeds=False)
