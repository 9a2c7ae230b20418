"""Recording vital signs and reading the newest."""

import random
import uuid

import pytest
from client.readings import (
    BLOOD_PRESSURE,
    GLUCOSE,
    HEART_RATE,
    at,
    blood_pressure,
    glucose,
    heart_rate,
    quantity,
    watch,
)
from client.refusals import invalid, refused
from heartguard.vitals.v1 import vitals_pb2
from heartguard.vitals.v1.vitals_service_pb2 import (
    GetLatestObservationsRequest,
    ListObservationsRequest,
    RecordObservationsRequest,
)


def record(door, person, *observations):
    return person.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=observations))


def listed(door, person, code=HEART_RATE, **fields):
    request = ListObservationsRequest(code=code, page_size=1000, **fields)
    return list(person.calls(door.vitals.ListObservations, request).observations)


def latest(door, person, *codes):
    request = GetLatestObservationsRequest(codes=codes)
    return list(person.calls(door.vitals.GetLatestObservations, request).observations)


def test_a_reading_is_kept_digit_for_digit(door, ada):
    given = glucose(7, value="5.40", quantity=quantity("5.40", "mg/dL"), utc_offset_minutes=-210)
    answer = record(door, ada, given)
    assert (answer.recorded_count, answer.duplicate_count) == (1, 0)

    (kept,) = listed(door, ada, GLUCOSE)
    assert kept.id == answer.ids[0]
    assert uuid.UUID(kept.id).version == 7
    assert kept.HasField("recorded_at")
    assert (kept.status, kept.version) == (vitals_pb2.OBSERVATION_STATUS_FINAL, 1)
    for made_by_the_service in ("id", "recorded_at", "status", "version"):
        kept.ClearField(made_by_the_service)
    assert kept == given


def test_a_blood_pressure_is_one_reading_of_two_parts(door, ada):
    record(door, ada, blood_pressure(1, "121.5", "79"))
    (kept,) = listed(door, ada, BLOOD_PRESSURE)
    assert {part.code: part.quantity.value for part in kept.components} == {"8480-6": "121.5", "8462-4": "79"}
    assert not kept.HasField("quantity")


def test_the_ids_come_in_the_order_of_the_request(door, ada):
    answer = record(door, ada, heart_rate(3), heart_rate(1), glucose(2))
    kept = {reading.sequence: reading.id for reading in listed(door, ada) + listed(door, ada, GLUCOSE)}
    assert list(answer.ids) == [kept[3], kept[1], kept[2]]


def test_readings_are_listed_newest_first(door, ada):
    record(door, ada, *(heart_rate(sequence) for sequence in (4, 1, 3, 2)))
    assert [reading.sequence for reading in listed(door, ada)] == [4, 3, 2, 1]


def test_a_batch_that_comes_three_times_in_any_order_is_kept_once(door, ada):
    batch = [heart_rate(sequence) for sequence in range(50)] + [glucose(sequence) for sequence in range(50)]
    first = record(door, ada, *batch)
    assert (first.recorded_count, first.duplicate_count) == (100, 0)
    id_of = dict(zip(((reading.source, reading.sequence) for reading in batch), first.ids, strict=True))

    for seed in (1, 2):
        random.Random(seed).shuffle(batch)
        again = record(door, ada, *batch)
        assert (again.recorded_count, again.duplicate_count) == (0, 100)
        assert list(again.ids) == [id_of[reading.source, reading.sequence] for reading in batch]
    assert len(listed(door, ada)) == len(listed(door, ada, GLUCOSE)) == 50


def test_only_what_is_new_in_a_batch_is_added(door, ada):
    record(door, ada, heart_rate(1), heart_rate(2))
    answer = record(door, ada, heart_rate(2), heart_rate(3), heart_rate(3))
    assert (answer.recorded_count, answer.duplicate_count) == (1, 2)
    assert answer.ids[1] == answer.ids[2]
    assert len(listed(door, ada)) == 3


def test_a_reading_stays_as_it_was_kept_first(door, ada):
    record(door, ada, heart_rate(1, value="72"))
    record(door, ada, heart_rate(1, value="180"))
    assert [reading.quantity.value for reading in listed(door, ada)] == ["72"]


def test_two_devices_count_for_themselves(door, ada):
    devices = [ada.calls(door.vitals.RegisterDevice, watch(serial)).device.id for serial in ("W-1", "W-2")]
    answer = record(door, ada, heart_rate(1), *(heart_rate(1, device_id=device) for device in devices))
    assert answer.recorded_count == 3
    assert {reading.device_id for reading in listed(door, ada)} == {"", *devices}


def test_one_faulty_reading_keeps_the_whole_batch_out(door, ada):
    with invalid("observations[1].code"):
        record(door, ada, heart_rate(1), heart_rate(2, code="8867-5"), heart_rate(3))
    assert listed(door, ada) == []


FAULTS = {
    "id": dict(id=str(uuid.uuid4())),
    "recorded_at": dict(recorded_at=at(0)),
    "status": dict(status=vitals_pb2.OBSERVATION_STATUS_CORRECTED),
    "version": dict(version=2),
    "code": dict(code="heart rate"),
    "quantity": dict(quantity=None),
    "quantity.value": dict(quantity=quantity("72,5", "/min")),
    "quantity.unit": dict(quantity=quantity("72", "mg/dL")),
    "effective_at": dict(effective_at=at(5 * 86_400)),
    "utc_offset_minutes": dict(utc_offset_minutes=841),
    "source": dict(source=""),
    "device_id": dict(device_id="my watch"),
    "sequence": dict(sequence=-1),
}


@pytest.mark.parametrize("field", FAULTS)
def test_a_faulty_field_is_named_with_its_place(door, reader, field):
    with invalid(f"observations[0].{field}"):
        record(door, reader, heart_rate(1, **FAULTS[field]))


def test_blood_pressure_has_exactly_its_two_parts(door, reader):
    half = blood_pressure(1)
    del half.components[1]
    with invalid("observations[0].components"):
        record(door, reader, half)
    with invalid("observations[0].components"):
        record(door, reader, heart_rate(1, code=BLOOD_PRESSURE, quantity=None))


@pytest.mark.parametrize("count", [0, 1001])
def test_a_batch_has_1_to_1000_readings(door, reader, count):
    with invalid("observations"):
        record(door, reader, *(heart_rate(sequence) for sequence in range(count)))


def test_a_full_batch_is_taken(door, ada):
    assert record(door, ada, *(heart_rate(sequence) for sequence in range(1000))).recorded_count == 1000


def test_a_device_has_to_be_there_and_the_callers(door, ada, bob):
    ours = ada.calls(door.vitals.RegisterDevice, watch()).device.id
    for somewhere_else in (ours, str(uuid.uuid4())):
        with refused("NOT_FOUND"):
            record(door, bob, heart_rate(1), heart_rate(2, device_id=somewhere_else))
    assert listed(door, bob) == []


def test_a_period_has_its_start_and_not_its_end(door, ada):
    record(door, ada, *(heart_rate(sequence) for sequence in range(6)))
    assert [reading.sequence for reading in listed(door, ada, start_at=at(2), end_at=at(4))] == [3, 2]
    assert [reading.sequence for reading in listed(door, ada, start_at=at(4))] == [5, 4]
    assert [reading.sequence for reading in listed(door, ada, end_at=at(2))] == [1, 0]
    assert listed(door, ada, start_at=at(2), end_at=at(2)) == []
    with invalid("end_at"):
        listed(door, ada, start_at=at(4), end_at=at(2))


def test_the_newest_of_each_kind(door, ada):
    record(door, ada, heart_rate(1), heart_rate(9, value="80"), heart_rate(5), glucose(3), blood_pressure(2))
    newest = latest(door, ada)
    assert [(reading.code, reading.sequence) for reading in newest] == sorted(
        [(HEART_RATE, 9), (GLUCOSE, 3), (BLOOD_PRESSURE, 2)]
    )
    assert latest(door, ada, GLUCOSE) == [reading for reading in newest if reading.code == GLUCOSE]
    assert latest(door, ada, "8310-5") == []
    with invalid("codes[1]"):
        latest(door, ada, GLUCOSE, "glucose")


def test_readings_are_nobody_elses(door, ada, bob):
    record(door, ada, heart_rate(1), glucose(1))
    assert listed(door, bob) == []
    assert latest(door, bob) == []
    assert record(door, bob, heart_rate(1)).recorded_count == 1
    assert len(listed(door, ada)) == len(listed(door, bob)) == 1


def test_listing_needs_a_code_that_is_one(door, reader):
    with invalid("code"):
        reader.calls(door.vitals.ListObservations, ListObservationsRequest())
    with invalid("code", "page_size"):
        reader.calls(door.vitals.ListObservations, ListObservationsRequest(code="8867-5", page_size=-1))


def test_an_observation_says_when_to_the_microsecond(door, ada):
    moment = at(1.123456)
    record(door, ada, heart_rate(1, effective_at=moment))
    (kept,) = listed(door, ada)
    assert kept.effective_at == moment
