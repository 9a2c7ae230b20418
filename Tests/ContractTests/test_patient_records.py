"""Conditions, allergies and the like."""

import uuid

from client.readings import at
from client.refusals import invalid, refused
from google.protobuf.struct_pb2 import Struct
from heartguard.vitals.v1 import patient_records_service_pb2 as service


def asthma(number: int = 0, **fields) -> service.PatientRecord:
    content = Struct()
    content.update({"triggers": ["pollen", "cold"], "since": 2011})
    defaults = dict(
        kind="PATIENT_RECORD_KIND_CONDITION", title="Asthma", code_system="CODE_SYSTEM_SNOMED", code="195967001",
        content=content, severity="RECORD_SEVERITY_MILD", onset_on="2011-05-01", recorded_at=at(number),
    )
    return service.PatientRecord(**{**defaults, **fields})


def create(door, person, record):
    return person.calls(door.patient_records.CreatePatientRecord, service.CreatePatientRecordRequest(record=record)).record


def test_a_record_is_made_once_changed_by_version_and_taken_away(door, ada, bob):
    made = create(door, ada, asthma(id=str(uuid.uuid4())))
    assert (made.version, made.status, made.source) == (1, service.CLINICAL_STATUS_ACTIVE, service.RECORD_SOURCE_PATIENT)
    assert create(door, ada, asthma(id=made.id)) == made
    with refused("ALREADY_EXISTS"):
        create(door, ada, asthma(id=made.id, title="Eczema"))
    change = asthma(id=made.id, version=1, status="CLINICAL_STATUS_RESOLVED")
    update = service.UpdatePatientRecordRequest(record=change)
    replaced = ada.calls(door.patient_records.UpdatePatientRecord, update).record
    assert (replaced.version, replaced.status) == (2, service.CLINICAL_STATUS_RESOLVED)
    assert ada.calls(door.patient_records.UpdatePatientRecord, update).record == replaced
    with refused("ABORTED"):
        late = service.UpdatePatientRecordRequest(record=asthma(id=made.id, version=1, title="Late"))
        ada.calls(door.patient_records.UpdatePatientRecord, late)
    get = service.GetPatientRecordRequest(record_id=made.id)
    with refused("NOT_FOUND"):
        bob.calls(door.patient_records.GetPatientRecord, get)
    delete = service.DeletePatientRecordRequest(record_id=made.id)
    bob.calls(door.patient_records.DeletePatientRecord, delete)
    assert ada.calls(door.patient_records.GetPatientRecord, get).record == replaced
    for _ in range(2):
        ada.calls(door.patient_records.DeletePatientRecord, delete)
    with refused("NOT_FOUND"):
        ada.calls(door.patient_records.GetPatientRecord, get)


def test_records_are_listed_newest_first_by_kind(door, ada):
    made = [create(door, ada, asthma(number)) for number in range(5)]
    create(door, ada, asthma(7, kind="PATIENT_RECORD_KIND_ALLERGY"))
    pages, token = [], ""
    while not pages or token:
        request = service.ListPatientRecordsRequest(kind="PATIENT_RECORD_KIND_CONDITION", page_size=2, page_token=token)
        page = ada.calls(door.patient_records.ListPatientRecords, request)
        pages += page.records
        token = page.next_page_token
    assert pages == made[::-1]


def test_what_is_wrong_is_named(door, ada):
    with invalid("record.kind", "record.title"):
        create(door, ada, service.PatientRecord())
    with invalid("record.code", "record.onset_on", "record.document_sha256"):
        create(door, ada, asthma(code="", onset_on="soon", document_sha256=b"short"))


def test_records_in_json(json_door, ada):
    body = {"record": {"kind": "PATIENT_RECORD_KIND_ALLERGY", "title": "Nuts", "content": {"reaction": "hives"}}}
    made = json_door.answers(
        service.CreatePatientRecordResponse, "POST", "/v1/patient-records", person=ada, json=body
    ).record
    body["record"] |= {"id": made.id, "version": "1", "title": "Peanuts"}
    changed = json_door.answers(
        service.UpdatePatientRecordResponse, "PUT", "/v1/patient-records", person=ada, json=body
    ).record
    path = f"/v1/patient-records/{made.id}"
    assert json_door.answers(service.GetPatientRecordResponse, "GET", path, person=ada).record == changed
    listed = json_door.answers(service.ListPatientRecordsResponse, "GET", "/v1/patient-records", person=ada)
    assert list(listed.records) == [changed]
    json_door.answers(service.DeletePatientRecordResponse, "DELETE", path, person=ada)
