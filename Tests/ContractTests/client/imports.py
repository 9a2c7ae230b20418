"""Imports as a person sends them, and as anybody counts what they came to."""

import hashlib
import json
import pathlib
import secrets
import uuid

from heartguard.imports.v1 import outcome_pb2
from heartguard.users.v1 import imports_service_pb2 as imports

from client import jobs

BUNDLE, NDJSON = imports.IMPORT_FORMAT_FHIR_R4_BUNDLE, imports.IMPORT_FORMAT_FHIR_R4_NDJSON
UPLOADING, RUNNING = imports.IMPORT_STATE_UPLOADING, imports.IMPORT_STATE_RUNNING
FINISHED, FAILED = imports.IMPORT_STATE_FINISHED, imports.IMPORT_STATE_FAILED

SAMPLES = pathlib.Path(__file__).parents[3] / "Samples" / "fhir"


def sample(name: str) -> bytes:
    return (SAMPLES / f"synthea-{name}.json").read_bytes()


def bundle(*resources, type: str = "collection") -> bytes:
    entries = [{"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": type, "entry": entries}).encode()


def observation(value="72", code="8867-4", unit="/min", at="2024-05-06T10:00:00+02:00", **members) -> dict:
    return {
        "resourceType": "Observation",
        "id": str(uuid.uuid4()),
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": at,
        "valueQuantity": {"value": float(value), "system": "http://unitsofmeasure.org", "code": unit},
        **members,
    }


def start(door, person, file: bytes, format=BUNDLE, client_id: str | None = None, **fields) -> imports.ImportJob:
    defaults = dict(byte_count=len(file), sha256=hashlib.sha256(file).hexdigest(), format=format)
    request = imports.StartImportRequest(client_id=client_id or secrets.token_hex(8), **{**defaults, **fields})
    return person.calls(door.imports.StartImport, request).import_job


def upload(door, person, id: str, file: bytes, offset: int = 0, by: int = 1 << 20) -> imports.ImportJob:
    def messages():
        for begin in range(offset, len(file), by):
            yield imports.UploadImportRequest(import_id=id, offset=begin, content=file[begin : begin + by])

    return door.imports.UploadImport(messages(), metadata=person.metadata, timeout=120).import_job


def write(door, person, id: str, offset: int, content: bytes) -> imports.ImportJob:
    request = imports.WriteImportRequest(import_id=id, offset=offset, content=content)
    return person.calls(door.imports.WriteImport, request).import_job


def get(door, person, id: str) -> imports.ImportJob:
    return person.calls(door.imports.GetImport, imports.GetImportRequest(import_id=id)).import_job


def ended(door, person, id: str, *, within: float = 120.0) -> imports.ImportJob:
    """The import, once it is no longer taken in, whoever is away meanwhile."""
    return jobs.ended(lambda: get(door, person, id), (UPLOADING, RUNNING), "the import", within=within)


def taken(door, person, file: bytes, format=BUNDLE, **fields) -> imports.ImportJob:
    """A new import that has finished."""
    job = start(door, person, file, format, **fields)
    job = ended(door, person, upload(door, person, job.id, file).id)
    assert job.state == FINISHED, job.failure
    return job


def counted(job: imports.ImportJob) -> dict[str, tuple[int, int, int, int]]:
    """By type: imported, there before, skipped, failed."""
    return {
        count.type: (count.imported_count, count.existing_count, count.skipped_count, count.failed_count) for count in job.counts
    }


def issues(job: imports.ImportJob, type: str) -> dict[str, tuple[int, list[int]]]:
    """By reason, how many and where the first are."""
    found = next((count.issues for count in job.counts if count.type == type), ())
    return {
        outcome_pb2.ImportOutcome.Name(issue.reason).removeprefix("IMPORT_OUTCOME_"): (issue.count, list(issue.entries))
        for issue in found
    }
