"""What people take, when it is due, whether it was taken, and what does not go together."""

import uuid

import pytest
from client.refusals import invalid, refused
from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.vitals.v1 import medications_pb2
from heartguard.vitals.v1.medications_service_pb2 import (
    AddMedicationRequest,
    AddMedicationResponse,
    CheckInteractionsRequest,
    CheckInteractionsResponse,
    GetAdherenceRequest,
    ListDueDosesRequest,
    ListDueDosesResponse,
    ListMedicationsRequest,
    RecordDoseRequest,
    RemoveMedicationRequest,
    UpdateMedicationRequest,
)


def moment(text: str) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp


def medication(name="Warfarin", times=("02:30", "20:00"), **fields) -> medications_pb2.Medication:
    schedule = medications_pb2.MedicationSchedule(
        time_zone="Europe/Berlin", times_of_day=medications_pb2.TimesOfDay(times=times)
    )
    defaults = dict(name=name, dosage="5 mg", schedule=schedule, starts_on="2026-03-01", active=True)
    return medications_pb2.Medication(**{**defaults, **fields})


def add(door, person, *given, **fields):
    return person.calls(door.medications.AddMedication, AddMedicationRequest(medication=medication(*given, **fields)))


def due(door, person, start, end):
    request = ListDueDosesRequest(start_at=moment(start), end_at=moment(end))
    return list(person.calls(door.medications.ListDueDoses, request).doses)


def test_doses_are_due_by_the_clocks_of_the_place(door, ada, bob):
    add(door, ada)
    doses = due(door, ada, "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z")
    assert [dose.scheduled_at.ToJsonString() for dose in doses] == [
        "2026-03-28T01:30:00Z",
        "2026-03-28T19:00:00Z",
        "2026-03-29T01:00:00Z",  # half past two was left out, and is taken when clocks were put forward
        "2026-03-29T18:00:00Z",
        "2026-03-30T00:30:00Z",
        "2026-03-30T18:00:00Z",
    ]
    assert due(door, bob, "2026-03-27T23:00:00Z", "2026-03-30T22:00:00Z") == []


def test_a_dose_is_recorded_once(door, ada, bob):
    mine = add(door, ada).medication.id
    taken = RecordDoseRequest(
        medication_id=mine,
        scheduled_at=moment("2026-03-02T19:00:00Z"),
        outcome=medications_pb2.DOSE_OUTCOME_TAKEN,
    )
    first = ada.calls(door.medications.RecordDose, taken).dose
    assert ada.calls(door.medications.RecordDose, taken).dose == first
    with refused("NOT_FOUND"):
        bob.calls(door.medications.RecordDose, taken)
    taken.outcome = medications_pb2.DOSE_OUTCOME_SKIPPED
    with refused("ALREADY_EXISTS"):
        ada.calls(door.medications.RecordDose, taken)
    taken.replace = True
    ada.calls(door.medications.RecordDose, taken)
    (dose,) = due(door, ada, "2026-03-02T12:00:00Z", "2026-03-03T00:00:00Z")
    assert dose.outcome == medications_pb2.DOSE_OUTCOME_SKIPPED

    request = GetAdherenceRequest(start_at=moment("2026-03-02T00:00:00Z"), end_at=moment("2026-03-04T00:00:00Z"))
    (kept,) = ada.calls(door.medications.GetAdherence, request).medications
    assert (kept.due_count, kept.taken_count, kept.skipped_count, kept.missed_count) == (4, 0, 1, 3)
    taken.scheduled_at.CopyFrom(moment("2026-03-02T19:00:01Z"))
    with invalid("scheduled_at"):
        ada.calls(door.medications.RecordDose, taken)


def test_a_medication_is_added_once_and_changed_by_who_knows_its_version(door, ada, bob):
    mine = str(uuid.uuid4())
    added = add(door, ada, id=mine).medication
    assert add(door, ada, id=mine).medication == added
    with refused("ALREADY_EXISTS"):
        add(door, ada, "Aspirin", id=mine)
    added.dosage = "3 mg"
    changed = ada.calls(door.medications.UpdateMedication, UpdateMedicationRequest(medication=added)).medication
    assert (changed.version, changed.dosage) == (2, "3 mg")
    added.dosage = "4 mg"
    with refused("ABORTED"):
        ada.calls(door.medications.UpdateMedication, UpdateMedicationRequest(medication=added))
    with refused("NOT_FOUND"):
        bob.calls(door.medications.UpdateMedication, UpdateMedicationRequest(medication=added))
    bob.calls(door.medications.RemoveMedication, RemoveMedicationRequest(medication_id=mine))
    assert list(ada.calls(door.medications.ListMedications, ListMedicationsRequest()).medications) == [changed]
    ada.calls(door.medications.RemoveMedication, RemoveMedicationRequest(medication_id=mine))
    assert not ada.calls(door.medications.ListMedications, ListMedicationsRequest()).medications


def test_medications_come_in_pages(door, ada):
    for number in range(5):
        add(door, ada, f"Drug {number}")
    seen, token = [], ""
    while True:
        request = ListMedicationsRequest(page_size=2, page_token=token)
        page = ada.calls(door.medications.ListMedications, request)
        seen += [medication.name for medication in page.medications]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"Drug {number}" for number in (4, 3, 2, 1, 0)]


def test_interactions_are_the_same_in_both_orders_and_told_when_a_drug_is_added(door, ada):
    def check(*drugs, **fields):
        request = CheckInteractionsRequest(drugs=drugs, **fields)
        return list(ada.calls(door.medications.CheckInteractions, request).interactions)

    found = check("Warfarin", "Aspirin")
    assert [(pair.first, pair.second) for pair in found] == [("Aspirin", "Warfarin")]
    assert found[0].severity == medications_pb2.INTERACTION_SEVERITY_MAJOR and found[0].mechanism
    assert check("Aspirin", "Warfarin") == found
    assert check("bread", "water") == []
    (by_class,) = check("Celebrex", "ramipril")
    assert by_class.severity == medications_pb2.INTERACTION_SEVERITY_MODERATE and by_class.mechanism
    assert check("celecoxib", "Altace")[0].mechanism == by_class.mechanism and check("Celebrex", "Advil") == []
    add(door, ada)
    told = add(door, ada, "Ibuprofen").interactions
    assert [(pair.first, pair.second) for pair in told] == [("Ibuprofen", "Warfarin")]
    assert list(told) == [pair for pair in check(include_mine=True)]


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        (dict(dosage=""), ["medication.dosage"]),
        (dict(starts_on="2026-02-30"), ["medication.starts_on"]),
        (dict(times=["24:00"]), ["medication.schedule.times_of_day.times[0]"]),
        (dict(schedule=None), ["medication.schedule"]),
        (dict(version=3), ["medication.version"]),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_fields(door, ada, fields, faults):
    with invalid(*faults):
        add(door, ada, **fields)


def test_at_the_json_door(json_door, ada):
    given = {
        "medication": {
            "name": "Digoxin",
            "dosage": "0.125 mg",
            "schedule": {"timeZone": "UTC", "everyHours": {"hours": 12, "firstTime": "06:00"}},
            "startsOn": "2026-03-01",
            "active": True,
        }
    }
    added = json_door.answers(AddMedicationResponse, "POST", "/v1/medications", person=ada, json=given).medication
    doses = json_door.answers(
        ListDueDosesResponse,
        "GET",
        "/v1/doses",
        person=ada,
        params={"startAt": "2026-03-02T00:00:00Z", "endAt": "2026-03-03T00:00:00Z"},
    ).doses
    assert [dose.scheduled_at.ToJsonString() for dose in doses] == ["2026-03-02T06:00:00Z", "2026-03-02T18:00:00Z"]
    path = f"/v1/medications/{added.id}/doses"
    dose = {"scheduledAt": "2026-03-02T06:00:00Z", "outcome": "DOSE_OUTCOME_TAKEN"}
    assert json_door.request("POST", path, person=ada, json=dose).status_code == 200
    found = json_door.answers(
        CheckInteractionsResponse,
        "POST",
        "/v1/medications:checkInteractions",
        person=ada,
        json={"drugs": ["Amiodarone"], "includeMine": True},
    ).interactions
    assert [(pair.first, pair.second) for pair in found] == [("Amiodarone", "Digoxin")]
