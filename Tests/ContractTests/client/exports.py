"""Exports as a person takes them away, and as anybody verifies them: with hashlib and json alone."""

import base64
import collections
import hashlib
import json
import secrets

import grpc
from heartguard.users.v1 import exports_service_pb2 as exports

from client import jobs

JSON_LINES, FHIR_R4 = exports.EXPORT_FORMAT_JSON_LINES, exports.EXPORT_FORMAT_FHIR_R4
RUNNING, FINISHED = exports.EXPORT_STATE_RUNNING, exports.EXPORT_STATE_FINISHED


def start(door, person, format=JSON_LINES, client_id: str | None = None) -> exports.Export:
    request = exports.StartExportRequest(client_id=client_id or secrets.token_hex(8), format=format)
    return person.calls(door.exports.StartExport, request).export


def get(door, person, id: str) -> exports.Export:
    return person.calls(door.exports.GetExport, exports.GetExportRequest(export_id=id)).export


def finished(door, person, id: str, *, within: float = 120.0) -> exports.Export:
    """The export, once it is no longer being written, whoever is away meanwhile."""
    return jobs.ended(lambda: get(door, person, id), (RUNNING,), "the export", within=within)


def parts(door, person, id: str, offset: int = 0):
    request = exports.DownloadExportRequest(export_id=id, offset=offset)
    return door.exports.DownloadExport(request, metadata=person.metadata, timeout=120)


def download(door, person, id: str, offset: int = 0) -> bytes:
    content = b""
    for part in parts(door, person, id, offset):
        assert part.offset == offset + len(content)
        content += part.content
    return content


def taken(door, person, format=JSON_LINES) -> tuple[exports.Export, bytes]:
    """A new export and its file, which is what the export says."""
    export = finished(door, person, start(door, person, format).id)
    assert export.state == FINISHED, export.failure
    content = download(door, person, export.id)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (export.byte_count, export.sha256)
    return export, content


def _checked(manifest: dict, content: bytes, counts) -> None:
    before = content[: manifest["bytes"]]
    assert hashlib.sha256(before).hexdigest() == manifest["sha256"]
    assert manifest["counts"] == dict(counts)


def records_of(content: bytes) -> dict[str, list[dict]]:
    """The records of a file of JSON Lines by type, after it was verified by what its last line says."""
    *lines, last = content.splitlines(keepends=True)
    assert "export" in json.loads(lines[0])
    records = collections.defaultdict(list)
    for line in map(json.loads, lines[1:]):
        if "type" in line:
            records[line["type"]].append(line["record"])
        else:
            assert line["table"] and "left_out" in line
    manifest = json.loads(last)["manifest"]
    assert manifest["bytes"] == len(content) - len(last)
    _checked(manifest, content, {type: len(found) for type, found in records.items()})
    return records


def resources_of(content: bytes) -> dict[str, list[dict]]:
    """The resources of a Bundle by type, after it was verified by the Binary that is its last entry."""
    bundle = json.loads(content, parse_float=str)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    *entries, last = bundle["entry"]
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    resources = collections.defaultdict(list)
    for entry in entries:
        assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"
        resources[entry["resource"]["resourceType"]].append(entry["resource"])
    manifest = json.loads(base64.b64decode(last["resource"]["data"]))["manifest"]
    _checked(manifest, content, {type: len(found) for type, found in resources.items()})
    return resources


def finished_or_beyond(door, person, id: str, byte_count: int) -> bool:
    """Whether so much has been written; not known while the service is away."""
    try:
        export = get(door, person, id)
    except grpc.RpcError:
        return False
    return export.state != RUNNING or export.byte_count > byte_count
