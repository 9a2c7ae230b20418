"""Records of another system, taken in from a file of FHIR: each once, none of it anybody else's, and hostile files within bounds."""

import base64
import collections
import hashlib
import json
import time
import uuid

import pytest
from client import imports as files
from client import signals
from client.exports import FHIR_R4
from client.exports import resources_of
from client.exports import taken as exported
from client.imports import FAILED, FINISHED, NDJSON, UPLOADING, bundle, counted, issues, observation, sample, taken
from client.people import PATIENCE
from client.readings import heart_rate, quantity, watch
from client.refusals import invalid, refused
from heartguard.imports.v1 import import_service_pb2, import_service_pb2_grpc
from heartguard.users.v1 import appointments_service_pb2, imports_service_pb2
from heartguard.vitals.v1 import medications_service_pb2, series_pb2, vitals_pb2
from heartguard.vitals.v1.vitals_service_pb2 import CorrectObservationRequest, ListObservationHistoryRequest, RecordObservationsRequest
from test_fhir_exports import filled  # noqa: F401 (a fixture)


def types_of(file: bytes) -> collections.Counter:
    return collections.Counter(entry["resource"]["resourceType"] for entry in json.loads(file)["entry"])


def quantities_of(file: bytes) -> int:
    """How many observations of a sample have a quantity, or parts of which each has one, and a LOINC code."""
    resources = [entry["resource"] for entry in json.loads(file)["entry"]]
    return sum(
        "valueQuantity" in resource or all("valueQuantity" in part for part in resource.get("component", [{}]))
        for resource in resources
        if resource["resourceType"] == "Observation"
    )


@pytest.mark.parametrize("name", ("infant", "adult"))
def test_what_synthea_tells_is_counted_by_type_and_taken_in_once(door, ada, name):
    file = sample(name)
    types = types_of(file)

    job = taken(door, ada, file)

    counts = counted(job)
    assert {type: sum(numbers) for type, numbers in counts.items()} == types
    assert job.entry_count == sum(types.values())
    assert counts["Encounter"] == (types["Encounter"], 0, 0, 0)
    if types["MedicationRequest"]:
        assert counts["MedicationRequest"] == (types["MedicationRequest"], 0, 0, 0)
    imported, existing, skipped, failed = counts["Observation"]
    assert (imported, existing, failed) == (quantities_of(file), 0, 0), issues(job, "Observation")
    assert set(issues(job, "Observation")) <= {"NO_VALUE", "UNSUPPORTED_VALUE"}
    assert issues(job, "Claim") == {"NOT_KEPT": (types["Claim"], issues(job, "Claim")["NOT_KEPT"][1])}
    told = resources_of(exported(door, ada, FHIR_R4)[1])
    assert len(told["Observation"]) == imported
    assert len(told["Appointment"]) == types["Encounter"]

    again = counted(taken(door, ada, file))

    assert again["Observation"] == (0, imported, skipped, 0)
    assert again["Encounter"] == (0, types["Encounter"], 0, 0)
    assert len(resources_of(exported(door, ada, FHIR_R4)[1])["Observation"]) == imported


def test_what_one_account_told_another_has_the_same(direct, filled, bob):  # noqa: F811
    ada, ids, device, booked, held = filled
    file = exported(direct, ada, FHIR_R4)[1]

    job = taken(direct, bob, file)

    assert counted(job) == {
        "Patient": (0, 0, 1, 0),
        "Practitioner": (0, 0, 1, 0),
        "Appointment": (0, 0, 2, 0),
        "Device": (1, 0, 0, 0),
        "Observation": (4, 0, 1, 0),
        "MedicationStatement": (4, 0, 0, 0),
        "Binary": (0, 0, 1, 0),
        "Coverage": (0, 0, 1, 0),
    }
    assert issues(job, "Observation") == {"ENTERED_IN_ERROR": (1, issues(job, "Observation")["ENTERED_IN_ERROR"][1])}
    assert set(issues(job, "Appointment")) == {"NOT_FINAL"}

    def told(person):
        resources = resources_of(exported(direct, person, FHIR_R4)[1])
        kept = resources["Observation"] + resources["MedicationStatement"] + resources["Device"]
        text = json.dumps([r for r in kept if r["status"] != "entered-in-error"], sort_keys=True)
        # whose it is and when it was kept are another's
        same = json.loads(text.replace(person.user.id, "somebody"))
        return sorted(({k: v for k, v in r.items() if k != "issued"} for r in same), key=lambda r: r["id"])

    assert told(bob) == told(ada)
    # whose it is has it: FHIR does not say in which zone a medication's times are, so those say something else, and stay
    again = counted(taken(direct, ada, file))
    assert (again["Observation"], again["Device"]) == ((0, 5, 0, 0), (0, 1, 0, 0))
    assert sum(again["MedicationStatement"][1:3]) == 4
    assert told(bob) == told(ada)


def test_what_devices_have_measured_all_the_time_is_the_same_in_another_account(door, ada, bob):
    device = ada.calls(door.vitals.RegisterDevice, watch()).device.id
    samples = [signals.sample(number, number / 8) for number in range(2_500)]
    samples += [signals.sample(number, 0.1, seconds=60 + number**0.5, revision=number % 2) for number in range(3_000, 3_050)]
    signals.append(door, ada, device, samples)
    file = exported(door, ada, FHIR_R4)[1]
    told = len(resources_of(file)["Observation"])

    job = taken(door, bob, file)

    assert counted(job)["Observation"] == (told, 0, 0, 0), issues(job, "Observation")
    assert signals.raw(door, bob, device) == signals.raw(door, ada, device) == samples
    assert counted(taken(door, ada, file))["Observation"] == (0, told, 0, 0)


def test_sampled_data_is_kept_of_a_device_that_is_here_and_has_one_dimension(direct, ada):
    device = ada.calls(direct.vitals.RegisterDevice, watch()).device.id

    def sampled(data, of=device, **members):
        kelvin = {"value": 300, "system": "http://unitsofmeasure.org", "code": "K"}
        resource = observation(code="8310-5", device={"reference": f"urn:uuid:{of}"})
        del resource["valueQuantity"]
        return dict(resource, valueSampledData={"origin": kelvin, "period": 10, "factor": 0.5, "dimensions": 1, "data": data, **members})

    resources = [
        sampled("0 1 E -2"),
        sampled("0 1 2 3", dimensions=2),
        sampled("0 U"),
        sampled("0 1", of=uuid.uuid4()),
        sampled("0 1", period=0),
        sampled("0 secret"),
        sampled("E"),
        sampled("1 " * 10_001),
    ]

    job = taken(direct, ada, bundle(*resources))

    assert counted(job) == {"Observation": (1, 0, 7, 0)}
    assert issues(job, "Observation") == {
        "UNSUPPORTED_VALUE": (2, [1, 2]),
        "UNRESOLVED": (1, [3]),
        "MALFORMED": (2, [4, 5]),
        "NO_VALUE": (1, [6]),
        "TOO_LARGE": (1, [7]),
    }
    assert b"secret" not in job.SerializeToString()
    metric = series_pb2.SeriesMetric(coded=series_pb2.CodedMetric(code="8310-5", unit="K"))
    kept = signals.raw(direct, ada, device, metric)
    assert [(one.sequence, one.value) for one in kept] == [(0, 300), (1, 300.5), (3, 299)]
    assert [one.at.ToMilliseconds() - kept[0].at.ToMilliseconds() for one in kept] == [0, 10, 30]


def test_what_its_system_has_taken_back_is_retracted_once(door, ada):
    withdrawn, corrected, other = observation("150"), observation("7"), observation()
    taken(door, ada, bundle(withdrawn, corrected, other))
    correction = CorrectObservationRequest(observation_id=corrected["id"], expected_version=1, quantity=quantity("70", "/min"))
    ada.calls(door.vitals.CorrectObservation, correction)
    new = observation("151")
    retracted = [dict(reading, status="entered-in-error") for reading in (withdrawn, corrected, new, observation())]
    file = bundle(retracted[0], retracted[1], new, retracted[2], retracted[3], other)

    job = taken(door, ada, file)

    assert counted(job) == {"Observation": (3, 1, 2, 0)}
    # what was corrected here is no longer what was taken back, and the last was never there
    assert issues(job, "Observation") == {"DIFFERS": (1, [1]), "ENTERED_IN_ERROR": (1, [4])}
    told = {resource["id"]: resource["status"] for resource in resources_of(exported(door, ada, FHIR_R4)[1])["Observation"]}
    assert told == {withdrawn["id"]: "entered-in-error", corrected["id"]: "corrected", new["id"]: "entered-in-error", other["id"]: "final"}

    # the reading itself, again, is not what is there any more
    again = taken(door, ada, file)

    assert counted(again) == {"Observation": (0, 3, 3, 0)}
    assert issues(again, "Observation")["DIFFERS"] == (2, [1, 2])
    versions = ada.calls(door.vitals.ListObservationHistory, ListObservationHistoryRequest(observation_id=withdrawn["id"])).versions
    assert [version.observation.status for version in versions] == [
        vitals_pb2.OBSERVATION_STATUS_FINAL,
        vitals_pb2.OBSERVATION_STATUS_ENTERED_IN_ERROR,
    ]


def test_what_a_device_has_measured_is_its_own_wherever_it_was_registered(direct, filled, bob):  # noqa: F811
    ada, ids, *_ = filled
    device = bob.calls(direct.vitals.RegisterDevice, watch()).device

    job = taken(direct, bob, exported(direct, ada, FHIR_R4)[1])

    assert counted(job)["Device"] == (0, 1, 0, 0)
    sent = RecordObservationsRequest(observations=[heart_rate(1, "72.50", device_id=device.id)])
    answer = bob.calls(direct.vitals.RecordObservations, sent)
    assert (answer.recorded_count, list(answer.ids)) == (0, [ids[0]])


def test_a_file_of_lines_is_of_whom_its_first_resource_is_about(door, ada):
    lines = [observation(), observation(), observation(subject={"reference": "Patient/2"})]
    for line in lines[:2]:
        line["subject"] = {"reference": "Patient/1"}

    job = taken(door, ada, "\n".join(map(json.dumps, lines)).encode(), NDJSON)

    assert counted(job) == {"Observation": (2, 0, 1, 0)}
    assert issues(job, "Observation") == {"ANOTHER_SUBJECT": (1, [2])}


def test_an_upload_that_was_cut_is_gone_on_with(door, ada):
    file = sample("infant")
    job = files.start(door, ada, file)
    part = files.upload(door, ada, job.id, file[:100_000], by=30_000)
    assert (part.state, part.received_byte_count) == (UPLOADING, 100_000)
    with refused("OUT_OF_RANGE"):
        files.write(door, ada, job.id, 100_001, file[100_001:])

    files.upload(door, ada, job.id, file, offset=files.get(door, ada, job.id).received_byte_count)
    # who did not hear the answer says the last again
    files.write(door, ada, job.id, len(file) - 10, file[-10:])

    assert files.ended(door, ada, job.id).state == FINISHED


def test_it_goes_by_json_too(json_door, ada, direct):
    file = bundle(observation("61"))
    said = {"clientId": "one", "format": "IMPORT_FORMAT_FHIR_R4_BUNDLE", "byteCount": len(file), "sha256": hashlib.sha256(file).hexdigest()}
    begun = json_door.answers(imports_service_pb2.StartImportResponse, "POST", "/v1/imports", person=ada, json=said).import_job
    for begin in range(0, len(file), 100):
        part = {"offset": begin, "content": base64.b64encode(file[begin : begin + 100]).decode()}
        json_door.answers(imports_service_pb2.WriteImportResponse, "PUT", f"/v1/imports/{begun.id}/content", person=ada, json=part)
    assert counted(files.ended(direct, ada, begun.id)) == {"Observation": (1, 0, 0, 0)}


HOSTILE = {
    "nothing": (b" ", "ends too early"),
    "no JSON": (b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"a":nul}}]}', "at byte 66"),
    "another type": (b'{"resourceType":"Bundle","type":"message"}', "type of the Bundle"),
    "XML": (b"<Bundle/>", "at byte 0"),
    "deep": (b'{"entry":[' + b'{"a":' * 100_000, "deeper than 64"),
    "deep in a list": (b'{"entry":[{"a":' + b"[" * 1_000_000, "deeper than 64"),
    "two people": (bundle(*({"resourceType": "Patient", "id": str(uuid.uuid4())} for _ in range(2))), "second Patient"),
    "not UTF-8": (b'{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"a":"\xff"}}]}', "UTF-8"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_file_of_one_persons_records_is_refused_with_its_place(door, ada, name):
    file, reason = HOSTILE[name]
    job = files.start(door, ada, file)

    for _ in range(2):
        with invalid("content") as refusal:
            files.upload(door, ada, job.id, file)
        assert reason in refusal.message

    failed = files.get(door, ada, job.id)
    assert (failed.state, failed.failure) == (FAILED, refusal.message)


def test_very_many_entries_and_very_long_numbers_are_bounded(direct, ada):
    many = b'{"resourceType":"Bundle","type":"batch","entry":[' + b",".join([b"{}"] * 20_000) + b"]}"
    began = time.monotonic()
    assert counted(taken(direct, ada, many)) == {"Unknown": (0, 0, 20_000, 0)}
    assert time.monotonic() - began < 60
    digits = observation()
    text = json.dumps(digits).replace("72.0", "9" * 100_000)
    job = taken(direct, ada, text.encode(), NDJSON)
    assert issues(job, "Observation") == {"UNSUPPORTED_VALUE": (1, [0])}
    exponent = json.dumps(observation()).replace("72.0", "1e999999999")
    assert issues(taken(direct, ada, exponent.encode(), NDJSON), "Observation") == {"UNSUPPORTED_VALUE": (1, [0])}


def test_other_bytes_than_those_of_the_digest_are_refused(door, ada):
    file = bundle(observation())
    job = files.start(door, ada, file, sha256="00" * 32)

    with invalid("content") as refusal:
        files.upload(door, ada, job.id, file)
    assert "digest" in refusal.message


def test_it_says_why_something_is_skipped_and_nothing_of_what_it_says(direct, ada):
    resources = [
        observation(status="preliminary"),
        observation(status="entered-in-error"),
        observation(code="8867-5"),
        observation(unit="kg"),
        observation(at="2024-05-06"),
        observation(at="2124-05-06T10:00:00Z"),
        observation(valueQuantity={"value": 7, "unit": "bpm"}),
        {k: v for k, v in observation(dataAbsentReason={"text": "secret"}).items() if k != "valueQuantity"},
        observation(note=[{"text": "secret" * 60_000}]),
    ]
    job = taken(direct, ada, bundle(*resources))

    assert issues(job, "Observation") == {
        "NOT_FINAL": (1, [0]),
        "ENTERED_IN_ERROR": (1, [1]),
        "UNSUPPORTED_CODE": (1, [2]),
        "UNSUPPORTED_UNIT": (2, [3, 6]),
        "UNSUPPORTED_TIME": (2, [4, 5]),
        "NO_VALUE": (1, [7]),
        "TOO_LARGE": (1, [8]),
    }
    assert b"secret" not in job.SerializeToString()


def test_it_is_its_persons_alone_and_one_at_a_time(door, ada, bob):
    file = bundle(observation())
    job = files.start(door, ada, file, client_id="one")
    assert files.start(door, ada, file, client_id="one").id == job.id
    with refused("ALREADY_EXISTS"):
        files.start(door, ada, file, client_id="one", source="elsewhere")
    with refused("FAILED_PRECONDITION"):
        files.start(door, ada, file, client_id="two")
    for call in (
        lambda: files.get(door, bob, job.id),
        lambda: files.write(door, bob, job.id, 0, file),
        lambda: bob.calls(door.imports.DeleteImport, imports_service_pb2.DeleteImportRequest(import_id=job.id)),
    ):
        with refused("NOT_FOUND"):
            call()
    assert not bob.calls(door.imports.ListImports, imports_service_pb2.ListImportsRequest()).import_jobs
    ada.calls(door.imports.DeleteImport, imports_service_pb2.DeleteImportRequest(import_id=job.id))
    assert not ada.calls(door.imports.ListImports, imports_service_pb2.ListImportsRequest()).import_jobs


def test_a_request_says_what_it_needs(door, ada):
    with invalid("client_id", "format", "byte_count", "sha256"):
        ada.calls(door.imports.StartImport, imports_service_pb2.StartImportRequest())
    with invalid("source", "sha256", "byte_count"):
        files.start(door, ada, b"{}", source="a b", sha256="x" * 64, byte_count=(256 << 20) + 1)
    with invalid("import_id", "offset", "content"):
        ada.calls(door.imports.WriteImport, imports_service_pb2.WriteImportRequest(import_id="x", offset=-1))


def test_medications_and_visits_are_where_they_belong(direct, ada):
    taken(direct, ada, sample("adult"))
    medications = ada.calls(direct.medications.ListMedications, medications_service_pb2.ListMedicationsRequest(page_size=100)).medications
    assert len(medications) == 12
    assert all(medication.rxnorm_code and medication.dosage and not medication.reminders_enabled for medication in medications)
    visits = ada.calls(direct.appointments.ListAppointments, appointments_service_pb2.ListAppointmentsRequest(page_size=100)).appointments
    assert {visit.status for visit in visits} == {appointments_service_pb2.APPOINTMENT_STATUS_COMPLETED}


def test_only_users_gives_records_to_be_kept(cluster, ada):
    stub = import_service_pb2_grpc.ImportServiceStub(cluster.channel("vitals"))
    request = import_service_pb2.ImportRecordsRequest(user_id=ada.user.id, import_id=str(uuid.uuid4()), source="x")
    with refused("UNAUTHENTICATED"):
        stub.ImportRecords(request, metadata=ada.metadata, timeout=PATIENCE)
