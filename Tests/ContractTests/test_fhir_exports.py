"""A Bundle of FHIR R4 of what is kept of a person, held against PyPI's fhir.resources, resource by resource."""

import json
import uuid

import pytest
from client import signals, visits
from client.exports import FHIR_R4, resources_of, taken
from client.readings import blood_pressure, glucose, heart_rate, quantity, watch
from fhir.resources.R4B import get_fhir_model_class
from heartguard.users.v1 import records_service_pb2, users_pb2
from heartguard.users.v1.users_service_pb2 import UpdateProfileRequest
from heartguard.vitals.v1 import medications_pb2
from heartguard.vitals.v1.vitals_service_pb2 import (
    CorrectObservationRequest,
    RecordObservationsRequest,
    RetractObservationRequest,
)
from test_medications import add, medication
from test_records import insurance


def record(direct, person, *observations):
    request = RecordObservationsRequest(observations=observations)
    return list(person.calls(direct.vitals.RecordObservations, request).ids)


@pytest.fixture
def filled(direct, ada):
    """Ada, with something of everything that is told as a resource; the ids of readings, and what is to be counted."""
    ada.calls(
        direct.users.UpdateProfile,
        UpdateProfileRequest(expected_version=ada.user.version, phone="+4930123456", birth_date="1984-02-29", sex=users_pb2.SEX_FEMALE),
    )
    contact = records_service_pb2.CreateEmergencyContactRequest(
        id=str(uuid.uuid4()), name="Bob \"B.\" Brown", relationship=records_service_pb2.CONTACT_RELATIONSHIP_FRIEND, phone="+4930654321"
    )
    ada.calls(direct.records.CreateEmergencyContact, contact)
    device = ada.calls(direct.vitals.RegisterDevice, watch()).device
    ids = record(
        direct,
        ada,
        heart_rate(1, "72.50", device_id=device.id),
        blood_pressure(2, "120.0", "80"),
        glucose(3, "104"),
        heart_rate(4, "60", utc_offset_minutes=-210),
        heart_rate(5, "61"),
    )
    correction = CorrectObservationRequest(observation_id=ids[3], expected_version=1, quantity=quantity("64.0", "/min"), reason="typed wrong")
    ada.calls(direct.vitals.CorrectObservation, correction)
    ada.calls(direct.vitals.RetractObservation, RetractObservationRequest(observation_id=ids[4], expected_version=1, reason="not mine"))
    add(direct, ada, "Warfarin", ("08:00", "20:00"), rxnorm_code="11289", instructions="with food", reason="AF")
    weekly = medications_pb2.MedicationSchedule(
        time_zone="UTC", times_of_day=medications_pb2.TimesOfDay(times=["09:30"], weekdays=[1, 7])
    )
    add(direct, ada, "Methotrexate", schedule=weekly, ends_on="2027-01-31")
    every = medications_pb2.EveryHours(hours=6, first_time="06:00")
    add(direct, ada, "Ibuprofen", schedule=medications_pb2.MedicationSchedule(time_zone="UTC", every_hours=every))
    needed = medications_pb2.MedicationSchedule(time_zone="UTC", as_needed=medications_pb2.AsNeeded())
    add(direct, ada, "Nitroglycerin", schedule=needed, active=False)
    policy = insurance(plan_name="Care+", group_number="G-1", copay_amount="25", deductible_amount="500.5", holder="INSURANCE_HOLDER_PARENT", primary=True)
    ada.calls(direct.records.CreateInsurance, policy)
    paid, unpaid = visits.free_slots(direct, ada, 2)
    booked, held = visits.hold(direct, ada, paid, insurance_id=policy.id), visits.hold(direct, ada, unpaid)
    visits.confirm(direct, ada, booked)
    return ada, ids, device, booked, held


COUNTS = {"Patient": 1, "Practitioner": 1, "Coverage": 1, "Appointment": 2, "Device": 1, "Observation": 5, "MedicationStatement": 4}


def test_fhir_resources_accepts_every_resource_and_none_is_missing(door, filled):
    ada, ids, *_ = filled
    export, content = taken(door, ada, FHIR_R4)

    resources = resources_of(content)
    assert {type: len(found) for type, found in resources.items()} == COUNTS == dict(export.counts)
    # as text, so that decimals are read by the digits that were written
    get_fhir_model_class("Bundle").model_validate_json(content)
    for entry in json.loads(content)["entry"]:
        resource = entry["resource"]
        get_fhir_model_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
    assert {resource["id"] for resource in resources["Observation"]} == set(ids)


def references(value):
    if isinstance(value, dict):
        if "reference" in value:
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_what_refers_to_something_finds_it_in_the_bundle(direct, filled):
    ada, *_ = filled
    bundle = json.loads(taken(direct, ada, FHIR_R4)[1])
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert set(references(bundle)) and set(references(bundle)) <= urls


def test_readings_are_told_with_their_digits_their_units_and_what_became_of_them(direct, filled):
    ada, ids, device, *_ = filled
    found = {resource["id"]: resource for resource in resources_of(taken(direct, ada, FHIR_R4)[1])["Observation"]}
    rate, pressure, sugar, corrected, retracted = (found[id] for id in ids)

    # client.exports reads decimals as the text that they were written in
    assert rate["valueQuantity"] == {"value": "72.50", "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    assert rate["code"]["coding"] == [{"system": "http://loinc.org", "code": "8867-4"}]
    assert rate["device"]["reference"] == f"urn:uuid:{device.id}"
    assert rate["status"] == "final"
    parts = {part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"] for part in pressure["component"]}
    assert parts == {"8480-6": "120.0", "8462-4": 80} and "valueQuantity" not in pressure
    assert "category" in rate and "category" not in sugar
    assert (corrected["status"], corrected["meta"]["versionId"]) == ("corrected", "2")
    assert corrected["valueQuantity"]["value"] == "64.0"
    assert corrected["note"][0]["text"] == "typed wrong"
    assert corrected["effectiveDateTime"].endswith("-03:30")
    assert (retracted["status"], retracted["note"][0]["text"]) == ("entered-in-error", "not mine")


def test_series_are_told_as_sampled_data_that_says_where_each_sample_was(door, ada):
    device = ada.calls(door.vitals.RegisterDevice, watch()).device
    regular = [signals.sample(number, number / 8) for number in range(2_500)]
    lone = signals.sample(9_000, -0.125, seconds=3_600)
    signals.append(door, ada, device.id, [*regular, lone])

    export, content = taken(door, ada, FHIR_R4)

    told = sorted(resources_of(content)["Observation"], key=lambda resource: int(resource["identifier"][0]["value"]))
    assert export.counts["Observation"] == len(told) == 3
    model = get_fhir_model_class("Observation")
    for entry in json.loads(content)["entry"]:
        if entry["resource"]["resourceType"] == "Observation":
            model.model_validate_json(json.dumps(entry["resource"]))
    *runs, last = told
    values = [float(value) for run in runs for value in run["valueSampledData"]["data"].split(" ")]
    assert values == [one.value for one in regular]
    for run in runs:
        data = run["valueSampledData"]
        assert (data["origin"], data["period"], data["dimensions"]) == ({"value": 0}, 10, 1)
    assert last["valueQuantity"] == {"value": "-0.125"}
    for resource in told:
        assert resource["code"]["coding"] == [{"system": "urn:x-heartguard:channel", "code": "ppg"}]
        assert resource["device"]["reference"] == f"urn:uuid:{device.id}"


def test_medications_are_told_with_when_they_are_taken(direct, filled):
    ada, *_ = filled
    resources = resources_of(taken(direct, ada, FHIR_R4)[1])
    told = {resource["medicationCodeableConcept"]["text"]: resource for resource in resources["MedicationStatement"]}
    repeat = {name: resource["dosage"][0].get("timing", {}).get("repeat") for name, resource in told.items()}
    assert repeat["Warfarin"] == {"frequency": 2, "period": 1, "periodUnit": "d", "timeOfDay": ["08:00:00", "20:00:00"]}
    assert repeat["Methotrexate"]["dayOfWeek"] == ["mon", "sun"]
    assert repeat["Ibuprofen"] == {"frequency": 1, "period": 6, "periodUnit": "h"}
    assert repeat["Nitroglycerin"] is None and told["Nitroglycerin"]["dosage"][0]["asNeededBoolean"] is True
    assert told["Nitroglycerin"]["status"] == "completed"
    assert told["Warfarin"]["medicationCodeableConcept"]["coding"][0]["code"] == "11289"
    assert told["Methotrexate"]["effectivePeriod"] == {"start": "2026-03-01", "end": "2027-01-31"}


def test_people_and_visits_are_told(direct, filled):
    ada, _, _, booked, held = filled
    resources = resources_of(taken(direct, ada, FHIR_R4)[1])
    (patient,) = resources["Patient"]
    assert (patient["id"], patient["gender"], patient["birthDate"]) == (ada.user.id, "female", "1984-02-29")
    assert patient["contact"][0]["name"]["text"] == 'Bob "B." Brown'
    states = {visit["id"]: visit["status"] for visit in resources["Appointment"]}
    assert states == {booked.id: "booked", held.id: "proposed"}
    assert resources["Practitioner"][0]["id"] == visits.CARDIOLOGIST
    (policy,) = resources["Coverage"]
    pays = {visit["id"]: visit.get("supportingInformation") for visit in resources["Appointment"]}
    assert pays == {booked.id: [{"reference": f"urn:uuid:{policy['id']}"}], held.id: None}
    costs = {cost["type"]["coding"][0]["code"]: cost["valueMoney"] for cost in policy["costToBeneficiary"]}
    assert costs == {"copay": {"value": "25.00", "currency": "USD"}, "deductible": {"value": "500.50", "currency": "USD"}}
    # the holder is Ada's parent, so Ada is the holder's child
    assert policy["relationship"]["coding"][0]["code"] == "child"
    assert [part["value"] for part in policy["class"]] == ["G-1", "Care+"]


def test_somebody_with_nothing_has_a_bundle_of_themselves(direct, bob):
    export, content = taken(direct, bob, FHIR_R4)
    assert {type: len(found) for type, found in resources_of(content).items()} == {"Patient": 1}
    get_fhir_model_class("Bundle").model_validate_json(content)
