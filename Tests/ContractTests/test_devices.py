"""Devices and their signals."""

import random
import uuid

import pytest
from client.readings import at, watch
from client.refusals import invalid, refused
from heartguard.vitals.v1 import vitals_pb2
from heartguard.vitals.v1.vitals_service_pb2 import (
    AppendSamplesRequest,
    ListDevicesRequest,
    ListSamplesRequest,
    RegisterDeviceRequest,
)


def samples(*sequences):
    # 100.4 samples a second, as the heart signal of the sample data
    return [vitals_pb2.Sample(at=at(n / 100.4), sequence=n, value=512 + n / 8) for n in sequences]


def append(door, person, device, signal, metric="ppg"):
    request = AppendSamplesRequest(device_id=device, metric=metric, samples=signal)
    return person.calls(door.vitals.AppendSamples, request)


def read(door, person, device, metric="ppg", **fields):
    request = ListSamplesRequest(device_id=device, metric=metric, **fields)
    return list(person.calls(door.vitals.ListSamples, request).samples)


@pytest.fixture
def device(door, ada):
    return ada.calls(door.vitals.RegisterDevice, watch()).device.id


def test_a_device_is_registered_once_by_its_serial_number(door, ada):
    first = ada.calls(door.vitals.RegisterDevice, watch("W-7", name="On my wrist"))
    assert first.created
    assert first.device.active
    assert uuid.UUID(first.device.id).version == 7
    assert (first.device.name, first.device.platform) == ("On my wrist", "wearos")

    again = ada.calls(door.vitals.RegisterDevice, watch("W-7", name="Another name"))
    assert not again.created
    assert again.device == first.device


def test_devices_are_listed_newest_first(door, ada):
    made = [ada.calls(door.vitals.RegisterDevice, watch(f"W-{n}")).device for n in range(3)]
    assert list(ada.calls(door.vitals.ListDevices, ListDevicesRequest()).devices) == made[::-1]


def test_two_people_may_have_devices_of_one_number(door, ada, bob):
    adas = ada.calls(door.vitals.RegisterDevice, watch("W-1")).device
    bobs = bob.calls(door.vitals.RegisterDevice, watch("W-1"))
    assert bobs.created
    assert adas.id != bobs.device.id
    assert list(ada.calls(door.vitals.ListDevices, ListDevicesRequest()).devices) == [adas]


def test_a_device_needs_all_that_it_is_known_by(door, reader):
    with invalid("kind", "platform", "name", "serial_number"):
        reader.calls(door.vitals.RegisterDevice, RegisterDeviceRequest())


def test_a_signal_is_kept_and_read_oldest_first(door, ada, device):
    signal = samples(*range(300))
    shuffled = random.Random(1).sample(signal, len(signal))
    answer = append(door, ada, device, shuffled)
    assert (answer.recorded_count, answer.duplicate_count) == (300, 0)
    assert read(door, ada, device) == signal


def test_samples_that_are_there_add_nothing(door, ada, device):
    append(door, ada, device, samples(*range(100)))
    answer = append(door, ada, device, samples(*range(50, 150)))
    assert (answer.recorded_count, answer.duplicate_count) == (50, 50)
    assert read(door, ada, device) == samples(*range(150))


def test_a_period_of_a_signal(door, ada, device):
    append(door, ada, device, samples(*range(100)))
    part = read(door, ada, device, start_at=samples(20)[0].at, end_at=samples(30)[0].at)
    assert part == samples(*range(20, 30))


def test_a_device_has_several_signals(door, ada, device):
    append(door, ada, device, samples(1, 2), metric="ppg")
    append(door, ada, device, samples(1), metric="acceleration_x")
    assert read(door, ada, device, "acceleration_x") == samples(1)
    assert read(door, ada, device, "ppg") == samples(1, 2)
    assert read(door, ada, device, "acceleration_y") == []


def test_a_signal_is_read_in_pages(door, ada, device):
    append(door, ada, device, samples(*range(250)))
    pages, token = [], ""
    while not pages or token:
        request = ListSamplesRequest(device_id=device, metric="ppg", page_size=100, page_token=token)
        page = ada.calls(door.vitals.ListSamples, request)
        pages.append(list(page.samples))
        token = page.next_page_token
    assert [len(page) for page in pages] == [100, 100, 50]
    assert sum(pages, []) == samples(*range(250))


def test_a_faulty_sample_is_named_with_its_place_and_keeps_all_out(door, ada, device):
    signal = samples(0, 1, 2)
    signal[1].value = float("nan")
    signal[2].ClearField("at")
    with invalid("samples[1].value", "samples[2].at"):
        append(door, ada, device, signal)
    assert read(door, ada, device) == []


def test_what_is_wrong_with_the_request_is_named(door, reader):
    with invalid("device_id", "metric", "samples"):
        append(door, reader, "my watch", [], metric="PPG signal")
    with invalid("device_id", "metric", "page_size"):
        read(door, reader, "my watch", "", page_size=-1)


def test_somebody_elses_device_is_not_found(door, ada, bob, device):
    append(door, ada, device, samples(1, 2, 3))
    with refused("NOT_FOUND") as theirs:
        append(door, bob, device, samples(4))
    with refused("NOT_FOUND"):
        read(door, bob, device)
    with refused("NOT_FOUND") as nobodys:
        append(door, bob, str(uuid.uuid4()), samples(4))
    assert theirs.message == nobodys.message
    assert len(read(door, ada, device)) == 3
