"""What is kept of a person, as a file: all of it and nobody else's, in parts that can be taken again, and verified by itself."""

import base64
import hashlib
import json
import secrets
import uuid

import pytest
from client import erasures
from client import exports as files
from client.erasures import verified
from client.exports import FHIR_R4, FINISHED, JSON_LINES, records_of, taken
from client.methods import KEEPERS
from client.people import PATIENCE
from client.readings import heart_rate
from client.refusals import invalid, refused
from heartguard.export.v1 import export_service_pb2, export_service_pb2_grpc
from heartguard.users.v1 import exports_service_pb2 as exports
from heartguard.users.v1.users_service_pb2 import EraseAccountRequest
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest
from test_erasure import fill

FILLED = {
    "users.users": 1,
    "users.sessions": 1,
    "users.user_consents": 1,
    "users.consent_history": 1,
    "vitals.user_devices": 1,
    "vitals.vitals": 100,
    "vitals.timelines": 1,
    "chat.chat_sessions": 1,
    "chat.chat_messages": 3,
    "chat.checkpoint_threads": 1,
    "chat.checkpoints": 1,
    "vectors.vector_user_memories": 1,
}


def test_it_has_every_record_of_every_service_and_no_secret(door, direct, ada, bob):
    fill(direct, ada)
    fill(direct, bob)

    export, content = taken(door, ada)

    assert {type: len(found) for type, found in records_of(content).items()} == FILLED
    assert dict(export.counts) == FILLED
    text = content.decode()
    for other in (bob.user.id, bob.email, ada.password, ada.tokens.refresh_token):
        assert other not in text
    assert "argon2" not in text
    described = {line["table"]: line for line in map(json.loads, text.splitlines()) if "table" in line}
    assert "password_hash" in described["users.users"]["left_out"]
    assert "*" in described["users.refresh_tokens"]["left_out"]
    assert described["vitals.medications"]["columns"]["schedule"] == "jsonb"
    records = records_of(content)
    assert {reading["value"] for reading in records["vitals.vitals"]} == {72}
    assert records["users.users"][0]["email"] == ada.email
    assert [message["content"] for message in records["chat.chat_messages"]] == ["Hello"] * 3


@pytest.fixture
def large(direct, ada):
    """A finished export of some parts."""
    for start in range(0, 10_000, 1_000):
        readings = [heart_rate(number) for number in range(start, start + 1_000)]
        ada.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=readings))
    export, content = taken(direct, ada)
    assert records_of(content)["vitals.vitals"] and len(content) > 3 << 20
    return export, content


def test_a_download_that_was_cut_is_gone_on_with(door, ada, bob, large):
    export, content = large
    stream = files.parts(door, ada, export.id)
    got = next(stream).content
    stream.cancel()
    # a cut may be anywhere
    for kept in (0, 1, len(got) - 1, len(got), len(got) + 1, len(content) - 1):
        rest = files.download(door, ada, export.id, kept)
        assert hashlib.sha256(content[:kept] + rest).hexdigest() == export.sha256
    assert files.download(door, ada, export.id, len(content)) == b""
    with invalid("offset"):
        files.download(door, ada, export.id, -1)
    with refused("NOT_FOUND"):
        files.download(door, bob, export.id)


def test_it_is_taken_at_the_json_door(json_door, direct, ada):
    fill(direct, ada)
    wish = {"clientId": secrets.token_hex(8), "format": "EXPORT_FORMAT_JSON_LINES"}
    export = json_door.answers(exports.StartExportResponse, "POST", "/v1/exports", person=ada, json=wish).export
    files.finished(direct, ada, export.id)
    export = json_door.answers(exports.GetExportResponse, "GET", f"/v1/exports/{export.id}", person=ada).export
    content, path = b"", f"/v1/exports/{export.id}/content"
    while True:
        part = json_door.answers(exports.ReadExportResponse, "GET", f"{path}?offset={len(content)}", person=ada)
        assert (part.offset, part.byte_count) == (len(content), export.byte_count)
        if not part.content:
            break
        content += part.content
    assert hashlib.sha256(content).hexdigest() == export.sha256
    assert len(records_of(content)["vitals.vitals"]) == 100
    listed = json_door.answers(exports.ListExportsResponse, "GET", "/v1/exports", person=ada).exports
    assert [known.id for known in listed] == [export.id]
    json_door.answers(exports.DeleteExportResponse, "DELETE", f"/v1/exports/{export.id}", person=ada)
    json_door.refuses(404, "NOT_FOUND", "GET", f"/v1/exports/{export.id}", person=ada)


def test_the_same_client_id_is_the_same_export_and_five_are_kept(door, ada, bob):
    first = files.start(door, ada, client_id="mine")
    assert files.start(door, ada, client_id="mine").id == first.id
    with refused("ALREADY_EXISTS"):
        files.start(door, ada, FHIR_R4, client_id="mine")
    assert files.start(door, bob, client_id="mine").id != first.id
    files.finished(door, ada, first.id)
    for _ in range(4):
        files.finished(door, ada, files.start(door, ada).id)
    with refused("RESOURCE_EXHAUSTED"):
        files.start(door, ada)
    ada.calls(door.exports.DeleteExport, exports.DeleteExportRequest(export_id=first.id))
    with refused("NOT_FOUND"):
        ada.calls(door.exports.DeleteExport, exports.DeleteExportRequest(export_id=first.id))
    assert files.finished(door, ada, files.start(door, ada).id).state == FINISHED


def test_what_is_wrong_is_refused(door, ada, bob):
    for request, field in (
        (exports.StartExportRequest(format=JSON_LINES), "client_id"),
        (exports.StartExportRequest(client_id="x" * 129, format=JSON_LINES), "client_id"),
        (exports.StartExportRequest(client_id="x\n", format=JSON_LINES), "client_id"),
        (exports.StartExportRequest(client_id="x"), "format"),
        (exports.StartExportRequest(client_id="x", format=99), "format"),
    ):
        with invalid(field):
            ada.calls(door.exports.StartExport, request)
    with invalid("export_id"):
        files.get(door, ada, "mine")
    mine = files.start(door, ada)
    for id, person in ((mine.id, bob), (str(uuid.uuid4()), ada)):
        with refused("NOT_FOUND"):
            files.get(door, person, id)
        with refused("NOT_FOUND"):
            person.calls(door.exports.DeleteExport, exports.DeleteExportRequest(export_id=id))


def tell(channel, person, after="", format=export_service_pb2.RECORD_FORMAT_JSON_LINES, **options):
    stub = export_service_pb2_grpc.ExportServiceStub(channel)
    request = export_service_pb2.ExportRecordsRequest(user_id=person.user.id, format=format, after=after)
    return stub.ExportRecords(request, timeout=PATIENCE, **options)


@pytest.mark.parametrize("program", KEEPERS)
def test_services_tell_records_to_users_alone(cluster, direct, operator, bob, program):
    fill(direct, bob)
    with cluster.new_channel(program, showing="users") as channel:
        first = tell(channel, bob)
        assert first.content and first.next
        assert tell(channel, bob, first.next).counts
        for place in ("nothing", "tables", base64.b64encode(b"x").decode()):
            with refused("INVALID_ARGUMENT"):
                tell(channel, bob, place)
        with invalid("format"):
            tell(channel, bob, format=0)
    with cluster.new_channel(program, showing="gateway") as channel, refused("PERMISSION_DENIED"):
        tell(channel, bob)
    for options in ({}, {"metadata": bob.metadata}, {"metadata": operator.metadata}):
        with refused("UNAUTHENTICATED"):
            tell(cluster.channel(program), bob, **options)


def test_who_leaves_takes_the_exports_along(cluster, direct, operator, ada):
    taken(direct, ada)
    erasure = ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password)).erasure
    removed = verified(cluster, erasures.finished(direct.users, operator, erasure.id).receipt)["removed"]["users"]
    assert removed["exports"] == 1 and removed["export_chunks"] > 1
