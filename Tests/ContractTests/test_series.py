"""What devices measure all the time: in by one stream, out by another."""

import collections
import csv
import datetime
import importlib.util
import math
import pathlib
import queue
import random
import zoneinfo

import pytest
from client.people import PATIENCE
from client.readings import at, watch
from client.refusals import invalid, refused
from client.signals import PPG, append, batches, buckets, raw, read, sample
from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.vitals.v1 import series_pb2, vitals_pb2
from heartguard.vitals.v1.series_service_pb2 import (
    ListSeriesRequest,
    ListSeriesResponse,
    LocalDayBuckets,
    Plot,
    ReadSeriesRequest,
    SeriesServiceAppendSamplesRequest,
)
from heartguard.vitals.v1.vitals_service_pb2 import (
    AppendSamplesRequest,
    DeactivateDeviceRequest,
    DeactivateDeviceResponse,
    ListDevicesRequest,
    RenameDeviceRequest,
    RenameDeviceResponse,
)

TEMPERATURE = series_pb2.SeriesMetric(coded=series_pb2.CodedMetric(code="8310-5", unit="Cel"))


@pytest.fixture
def device(direct, ada):
    return ada.calls(direct.vitals.RegisterDevice, watch()).device.id


def heart_signal():
    """An optical pulse signal that a watch recorded (PyPI heartpy)."""
    folder = pathlib.Path(importlib.util.find_spec("heartpy").origin).parent / "data"
    with open(folder / "data3.csv", newline="") as file:
        values = [float(row["hr"]) for row in csv.DictReader(file)][:20_000]
    return [sample(number, value) for number, value in enumerate(values)]


def by_bucket(samples, seconds: int):
    groups = collections.defaultdict(list)
    for one in samples:
        groups[one.at.seconds // seconds * seconds].append(one.value)
    return groups


def check(found, groups):
    assert [one.start_at.seconds for one in found] == sorted(groups)
    for one in found:
        values = groups[one.start_at.seconds]
        assert (one.count, one.least, one.greatest, one.last) == (len(values), min(values), max(values), values[-1])
        assert math.isclose(one.mean, math.fsum(values) / len(values), rel_tol=1e-12)


def test_a_real_signal_that_is_sent_three_times_in_any_order_is_there_once(front, direct, ada, device):
    signal = heart_signal()
    assert len(signal) == 20_000
    answers = append(direct, ada, device, signal)
    assert [answer.accepted_count for answer in answers][-1] == len(signal)
    assert (answers[-1].recorded_count, answers[-1].last_sequence) == (len(signal), len(signal) - 1)
    for seed, door in ((1, front), (2, direct)):
        shuffled = random.Random(seed).sample(signal, len(signal))
        last = append(door, ada, device, shuffled, size=997)[-1]
        assert (last.accepted_count, last.recorded_count, last.corrected_count) == (len(signal), 0, 0)
    assert raw(front, ada, device) == signal
    for seconds in (1, 60, 3_600, 86_400):
        check(buckets(direct, ada, device, seconds), by_bucket(signal, seconds))


def test_each_message_is_answered_when_it_is_kept(door, direct, ada, device):
    messages = queue.SimpleQueue()
    answers = door.series.AppendSamples(iter(messages.get, None), metadata=ada.metadata, timeout=4 * PATIENCE)
    for number, message in enumerate(batches(device, [sample(n, n) for n in range(50)], size=10), start=1):
        messages.put(message)
        assert next(answers).accepted_count == 10 * number
        assert len(raw(direct, ada, device)) == 10 * number
    messages.put(None)
    assert list(answers) == []


def test_late_and_corrected_samples_are_in_every_bucket_at_once(door, ada, device):
    samples = {n: sample(n, float(n), seconds=n * 79) for n in range(0, 2_000, 2)}
    append(door, ada, device, list(samples.values()))
    for seconds in (600, 3_600, 86_400):
        buckets(door, ada, device, seconds)
    late = {n: sample(n, 1_000.0 + n, seconds=n * 79) for n in range(1, 2_000, 2)}
    corrections = {n: sample(n, -5.0, seconds=n * 79, revision=2) for n in range(0, 200, 2)}
    older = [sample(n, -7.0, seconds=n * 79, revision=1) for n in range(0, 200, 2)]
    answers = append(door, ada, device, list(late.values()) + list(corrections.values()) + older)
    assert (answers[-1].recorded_count, answers[-1].corrected_count) == (1_000, 100)
    now = [one for _, one in sorted((samples | late | corrections).items())]
    for seconds in (600, 3_600, 7_200, 86_400):
        check(buckets(door, ada, device, seconds), by_bucket(now, seconds))
    assert raw(door, ada, device) == now
    # What was there first does not come back.
    again = append(door, ada, device, list(samples.values()))
    assert (again[-1].recorded_count, again[-1].corrected_count) == (0, 0)
    assert raw(door, ada, device) == now


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])
def test_local_days_are_those_of_the_zone(direct, ada, device, zone):
    # Around the last Sunday of March 2025, on which clocks in Europe were put forward.
    begin = datetime.datetime(2025, 3, 28, tzinfo=datetime.UTC)
    samples = []
    for n in range(5 * 96):
        stamp = Timestamp()
        stamp.FromDatetime(begin + datetime.timedelta(minutes=15 * n))
        samples.append(vitals_pb2.Sample(at=stamp, sequence=n, value=n / 8))
    append(direct, ada, device, samples)
    days = collections.defaultdict(list)
    for one in samples:
        local = one.at.ToDatetime(datetime.UTC).astimezone(zoneinfo.ZoneInfo(zone)).date()
        days[local].append(one.value)
    answers = read(direct, ada, device, local_days=LocalDayBuckets(time_zone=zone))
    found = [one for answer in answers for one in answer.buckets]
    assert [one.count for one in found] == [len(values) for _, values in sorted(days.items())]
    assert [one.last for one in found] == [values[-1] for _, values in sorted(days.items())]
    if zone == "Europe/Berlin":
        assert [(one.end_at.seconds - one.start_at.seconds) // 3_600 for one in found] == [24, 24, 23, 24, 24, 24]


def test_a_period_cuts_the_buckets_at_its_ends(direct, ada, device):
    samples = [sample(n, float(n), seconds=60 * n) for n in range(600)]
    append(direct, ada, device, samples)
    period = dict(start_at=samples[100].at, end_at=samples[400].at)
    assert raw(direct, ada, device, **period) == samples[100:400]
    found = buckets(direct, ada, device, 3_600, **period)
    assert sum(one.count for one in found) == 300
    # There is a bucket where there are samples: the last of them may be the last of its hour.
    end = min(samples[400].at.seconds, (samples[399].at.seconds // 3_600 + 1) * 3_600)
    assert (found[0].start_at, found[-1].end_at.seconds) == (samples[100].at, end)
    assert (found[0].least, found[-1].greatest) == (100, 399)


def test_a_plot_has_the_ends_and_the_peaks(direct, ada, device):
    signal = [sample(n, math.sin(n / 50)) for n in range(5_000)]
    signal[2_345].value = 9
    append(direct, ada, device, signal)
    plot = raw(direct, ada, device, plot=Plot(points=100))
    assert len(plot) == 100
    assert (plot[0], plot[-1]) == (signal[0], signal[-1])
    assert signal[2_345] in plot
    assert [one.sequence for one in plot] == sorted({one.sequence for one in plot})
    assert raw(direct, ada, device, plot=Plot(points=5_000)) == signal


def test_a_series_of_a_code_keeps_its_unit(door, ada, device):
    append(door, ada, device, [sample(1, 36.5)], metric=TEMPERATURE)
    fahrenheit = series_pb2.SeriesMetric(coded=series_pb2.CodedMetric(code="8310-5", unit="[degF]"))
    with refused("FAILED_PRECONDITION"):
        append(door, ada, device, [sample(2, 97.7)], metric=fahrenheit)
    unitless = series_pb2.SeriesMetric(coded=series_pb2.CodedMetric(code="8310-5"))
    assert raw(door, ada, device, unitless) == [sample(1, 36.5)]
    listed = ada.calls(door.series.ListSeries, ListSeriesRequest(device_id=device)).series
    assert [(one.metric, one.last_sequence) for one in listed] == [(TEMPERATURE, 1)]


def test_signals_of_single_calls_are_in_the_same_series(direct, ada, device):
    request = AppendSamplesRequest(device_id=device, metric="ppg", samples=[sample(1, 2.0), sample(2, 4.0)])
    ada.calls(direct.vitals.AppendSamples, request)
    append(direct, ada, device, [sample(3, 6.0)])
    assert [one.mean for one in buckets(direct, ada, device, 86_400)] == [4.0]


def test_a_message_that_breaks_a_rule_ends_the_stream_and_keeps_nothing_of_itself(door, ada, device):
    wrong = sample(20, float("inf"))
    messages = [
        *batches(device, [sample(n, 1.0) for n in range(10)]),
        SeriesServiceAppendSamplesRequest(samples=[sample(10, 1.0), wrong]),
        SeriesServiceAppendSamplesRequest(samples=[sample(11, 1.0)]),
    ]
    answers = door.series.AppendSamples(iter(messages), metadata=ada.metadata, timeout=PATIENCE)
    with invalid("samples[1].value"):
        assert next(answers).accepted_count == 10
        next(answers)
    assert len(raw(door, ada, device)) == 10


def test_nobody_else_adds_or_reads(door, ada, bob, device):
    append(door, ada, device, [sample(1, 1.0)])
    with refused("NOT_FOUND"):
        append(door, bob, device, [sample(2, 1.0)])
    with refused("NOT_FOUND"):
        raw(door, bob, device)
    with refused("NOT_FOUND"):
        bob.calls(door.series.ListSeries, ListSeriesRequest(device_id=device))
    with refused("UNAUTHENTICATED"):
        list(door.series.AppendSamples(batches(device, [sample(2, 1.0)]), timeout=PATIENCE))
    assert raw(door, ada, device) == [sample(1, 1.0)]


def test_what_is_wrong_with_a_request_is_named(door, ada):
    with invalid("device_id", "metric", "samples"):
        list(door.series.AppendSamples(iter([SeriesServiceAppendSamplesRequest()]), metadata=ada.metadata, timeout=PATIENCE))
    with invalid("device_id", "metric", "end_at", "plot.points"):
        request = ReadSeriesRequest(start_at=at(5), end_at=at(1), plot=Plot(points=2))
        list(door.series.ReadSeries(request, metadata=ada.metadata, timeout=PATIENCE))
    with invalid("metric.channel"):
        read(door, ada, "0190c5b6-0000-7000-8000-000000000000", series_pb2.SeriesMetric(channel="loinc_8310_5"))


def test_devices_have_new_names_and_are_switched_off_and_on(json_door, direct, ada, bob, device):
    path = f"/v1/devices/{device}"
    renamed = json_door.answers(RenameDeviceResponse, "POST", f"{path}/rename", person=ada, json={"name": "At home"})
    assert renamed.device.name == "At home"
    rename = RenameDeviceRequest(device_id=device, name="At home")
    assert ada.calls(direct.vitals.RenameDevice, rename).device == renamed.device
    off = json_door.answers(DeactivateDeviceResponse, "POST", f"{path}/deactivate", person=ada, json={})
    assert not off.device.active
    assert ada.calls(direct.vitals.DeactivateDevice, DeactivateDeviceRequest(device_id=device)).device == off.device
    with refused("NOT_FOUND"):
        append(direct, ada, device, [sample(1, 1.0)])
    for method, request in (
        (direct.vitals.RenameDevice, RenameDeviceRequest(device_id=device, name="Mine")),
        (direct.vitals.DeactivateDevice, DeactivateDeviceRequest(device_id=device)),
    ):
        with refused("NOT_FOUND"):
            bob.calls(method, request)
    again = ada.calls(direct.vitals.RegisterDevice, watch())
    assert (again.created, again.device.active, again.device.name) == (False, True, "At home")
    append(direct, ada, device, [sample(1, 1.0)])
    listed = json_door.answers(ListSeriesResponse, "GET", f"{path}/series", person=ada)
    assert [one.metric for one in listed.series] == [PPG]
    assert [one.active for one in ada.calls(direct.vitals.ListDevices, ListDevicesRequest()).devices] == [True]
