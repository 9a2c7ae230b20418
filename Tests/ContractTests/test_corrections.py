"""Readings that are corrected and retracted, shown by day and in other units."""

import pytest
from client.readings import (
    GLUCOSE,
    HEART_RATE,
    glucose,
    heart_rate,
    quantity,
    watch,
)
from client.refusals import invalid, refused
from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.vitals.v1 import vitals_pb2
from heartguard.vitals.v1.vitals_service_pb2 import (
    CorrectObservationRequest,
    CorrectObservationResponse,
    GetLatestObservationsRequest,
    ListDailySummariesRequest,
    ListDailySummariesResponse,
    ListObservationHistoryRequest,
    ListObservationHistoryResponse,
    ListObservationsRequest,
    RecordObservationsRequest,
    RetractObservationRequest,
)


def record(door, person, *observations):
    return list(person.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=observations)).ids)


def values(door, person):
    listed = person.calls(door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE)).observations
    return [reading.quantity.value for reading in listed]


def newest(door, person):
    answer = person.calls(door.vitals.GetLatestObservations, GetLatestObservationsRequest(codes=[HEART_RATE]))
    return [reading.quantity.value for reading in answer.observations]


def history(door, person, reading):
    request = ListObservationHistoryRequest(observation_id=reading)
    return list(person.calls(door.vitals.ListObservationHistory, request).versions)


def test_a_history_in_pages(door, ada):
    (reading,) = record(door, ada, heart_rate(1, "60"))
    for version in range(1, 5):
        change = CorrectObservationRequest(
            observation_id=reading, expected_version=version, quantity=quantity(str(60 + version), "/min")
        )
        ada.calls(door.vitals.CorrectObservation, change)
    seen, request = [], ListObservationHistoryRequest(observation_id=reading, page_size=2)
    while not seen or request.page_token:
        page = ada.calls(door.vitals.ListObservationHistory, request)
        seen += [version.observation.quantity.value for version in page.versions]
        request.page_token = page.next_page_token
    assert seen == ["60", "61", "62", "63", "64"]


def test_a_correction_shows_everywhere_and_what_was_said_stays(door, ada, bob):
    first, second = record(door, ada, heart_rate(1, "61"), heart_rate(2, "62"))
    assert newest(door, ada) == ["62"]
    change = CorrectObservationRequest(
        observation_id=second, expected_version=1, quantity=quantity("71.50", "/min"), reason="Misread."
    )

    changed = ada.calls(door.vitals.CorrectObservation, change).observation
    assert (changed.version, changed.status) == (2, vitals_pb2.OBSERVATION_STATUS_CORRECTED)
    assert ada.calls(door.vitals.CorrectObservation, change).observation == changed
    assert values(door, ada) == ["71.50", "61"]
    assert newest(door, ada) == ["71.50"]
    said = history(door, ada, second)
    assert [version.observation.quantity.value for version in said] == ["62", "71.50"]
    assert [version.reason for version in said] == ["", "Misread."]

    change.quantity.value = "80"
    with refused("ABORTED") as refusal:
        ada.calls(door.vitals.CorrectObservation, change)
    assert refusal.reason == ("vitals.heartguard", "OBSERVATION_CHANGED")
    with refused("NOT_FOUND"):
        bob.calls(door.vitals.CorrectObservation, change)
    with refused("NOT_FOUND"):
        history(door, bob, first)


def test_a_retraction_is_for_good_though_the_device_sends_the_reading_again(door, ada):
    first, second = record(door, ada, heart_rate(1, "61"), heart_rate(2, "62"))
    retraction = RetractObservationRequest(observation_id=second, expected_version=1, reason="Not mine.")
    ada.calls(door.vitals.RetractObservation, retraction)
    ada.calls(door.vitals.RetractObservation, retraction)

    again = ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=[heart_rate(2, "62")]))
    assert (again.recorded_count, list(again.ids)) == (0, [second])
    assert values(door, ada) == newest(door, ada) == ["61"]
    assert [version.observation.status for version in history(door, ada, second)] == [
        vitals_pb2.OBSERVATION_STATUS_FINAL,
        vitals_pb2.OBSERVATION_STATUS_ENTERED_IN_ERROR,
    ]
    change = CorrectObservationRequest(observation_id=second, expected_version=2, quantity=quantity(70, "/min"))
    with refused("FAILED_PRECONDITION"):
        ada.calls(door.vitals.CorrectObservation, change)


def test_a_faulty_correction_names_its_fields(door, ada):
    (reading,) = record(door, ada, heart_rate(1))
    with invalid("observation_id", "expected_version", "reason"):
        ada.calls(door.vitals.CorrectObservation, CorrectObservationRequest(observation_id="x", reason="x" * 501))
    with invalid("quantity.unit"):
        change = CorrectObservationRequest(observation_id=reading, expected_version=1, quantity=quantity(70, "kg"))
        ada.calls(door.vitals.CorrectObservation, change)
    with invalid("observation_id"):
        history(door, ada, "../etc/passwd")


@pytest.mark.parametrize(("unit", "value"), [("mmol/L", "5.38"), ("g/L", "0.97"), ("mg/dL", "97")])
def test_a_reading_comes_in_the_unit_that_is_wished(door, ada, unit, value):
    record(door, ada, glucose(1, "97"))
    request = ListObservationsRequest(code=GLUCOSE, unit=unit)
    (reading,) = ada.calls(door.vitals.ListObservations, request).observations
    assert reading.quantity == quantity("97", "mg/dL")
    assert reading.converted == quantity(value, unit)
    latest = ada.calls(door.vitals.GetLatestObservations, GetLatestObservationsRequest(units=["kg", unit]))
    assert [reading.converted for reading in latest.observations] == [quantity(value, unit)]
    with invalid("unit"):
        ada.calls(door.vitals.ListObservations, ListObservationsRequest(code=GLUCOSE, unit="kg"))


def moment(text: str) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromJsonString(text)
    return timestamp


def test_days_are_those_of_the_place(door, ada):
    # every half hour of three days about the night when clocks were put forward in Berlin
    begin = moment("2025-03-28T23:00:00Z").seconds
    readings = [
        heart_rate(number, 60 + number % 10, effective_at=Timestamp(seconds=begin + 1800 * number)) for number in range(142)
    ]
    record(door, ada, *readings)
    request = ListDailySummariesRequest(
        code=HEART_RATE, first_date="2025-03-29", last_date="2025-04-01", time_zone="Europe/Berlin"
    )
    days = ada.calls(door.vitals.ListDailySummaries, request).days
    assert [(day.date, day.minutes, day.count) for day in days] == [
        ("2025-03-29", 1440, 48),
        ("2025-03-30", 1380, 46),
        ("2025-03-31", 1440, 48),
        ("2025-04-01", 1440, 0),
    ]
    assert days[0].least == quantity("60", "/min")
    assert not days[3].HasField("mean")
    request = ListObservationsRequest(
        code=HEART_RATE, local_date="2025-03-30", time_zone="Europe/Berlin", page_size=1000
    )
    assert len(ada.calls(door.vitals.ListObservations, request).observations) == 46
    with invalid("time_zone"):
        request.time_zone = "Europe/Atlantis"
        ada.calls(door.vitals.ListObservations, request)


def test_two_sources_become_one_by_segments_of_time(door, ada):
    device = ada.calls(door.vitals.RegisterDevice, watch()).device.id
    begin = moment("2026-02-21T08:00:00Z").seconds

    def steps(minutes, value, **fields):
        at = Timestamp(seconds=begin + 60 * minutes)
        return heart_rate(minutes, code="55423-8", quantity=quantity(value, "1"), effective_at=at, **fields)

    on_watch, on_phone = {"source": "watch", "device_id": device}, {"source": "phone"}
    record(door, ada, steps(10, "100", **on_watch), steps(20, "140", **on_phone), steps(80, "200", **on_phone), steps(130, "300", **on_watch))

    def day(**fields):
        request = ListDailySummariesRequest(code="55423-8", first_date="2026-02-21", last_date="2026-02-21", **fields)
        (only,) = ada.calls(door.vitals.ListDailySummaries, request).days
        return only.total.value, {part.source: part.count for part in only.sources}

    assert day() == ("740", {})
    assert day(segment_minutes=60, source_ranking=[device.upper()]) == ("600", {device: 2, "phone": 1})
    assert day(segment_minutes=60, source_ranking=["watch"]) == ("600", {device: 2, "phone": 1})
    # ranked otherwise, of the same readings
    assert day(segment_minutes=60, source_ranking=["phone"]) == ("640", {device: 1, "phone": 2})
    with invalid("source_ranking"):
        day(source_ranking=["phone"])


def test_at_the_json_door(json_door, direct, ada):
    (reading,) = record(direct, ada, heart_rate(1, effective_at=moment("2026-02-21T12:00:00Z")))
    changed = json_door.answers(
        CorrectObservationResponse,
        "POST",
        f"/v1/observations/{reading}/correct",
        person=ada,
        json={"expectedVersion": "1", "quantity": {"value": "90", "unit": "/min"}},
    )
    assert changed.observation.version == 2
    said = json_door.answers(ListObservationHistoryResponse, "GET", f"/v1/observations/{reading}/history", person=ada)
    assert len(said.versions) == 2
    days = json_door.answers(
        ListDailySummariesResponse,
        "GET",
        "/v1/observations:daily",
        person=ada,
        params={"code": HEART_RATE, "firstDate": "2026-02-21", "lastDate": "2026-02-21"},
    ).days
    assert [day.mean.value for day in days] == ["90.00"]
    merged = {"code": HEART_RATE, "firstDate": "2026-02-21", "lastDate": "2026-02-21", "segmentMinutes": 5, "sourceRanking": ["watch", "phone"]}
    (day,) = json_door.answers(ListDailySummariesResponse, "GET", "/v1/observations:daily", person=ada, params=merged).days
    assert [(part.source, part.count) for part in day.sources] == [("watch", 1)]
    json_door.refuses(
        409, "ABORTED", "POST", f"/v1/observations/{reading}/retract", person=ada, json={"expectedVersion": "1"}
    )
