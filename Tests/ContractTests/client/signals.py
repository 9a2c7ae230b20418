"""Series of devices: what is sent and read by streams."""

from google.protobuf.duration_pb2 import Duration
from heartguard.vitals.v1 import series_pb2, vitals_pb2
from heartguard.vitals.v1.series_service_pb2 import FixedBuckets, ReadSeriesRequest, SeriesServiceAppendSamplesRequest

from client.people import PATIENCE
from client.readings import at

PPG = series_pb2.SeriesMetric(channel="ppg")


def sample(number: int, value: float, seconds: float | None = None, revision: int = 0) -> vitals_pb2.Sample:
    """A hundred a second, unless it is said when."""
    return vitals_pb2.Sample(at=at(number / 100 if seconds is None else seconds), sequence=number, value=value, revision=revision)


def batches(device: str, samples, metric=PPG, size: int = 1_000):
    """The messages of a stream; only the first says where they go."""
    for start in range(0, len(samples), size):
        head = {} if start else {"device_id": device, "metric": metric}
        yield SeriesServiceAppendSamplesRequest(samples=samples[start : start + size], **head)


def append(door, person, device: str, samples, **options):
    """The answers to a whole stream."""
    stream = batches(device, samples, **options)
    return list(door.series.AppendSamples(stream, metadata=person.metadata, timeout=4 * PATIENCE))


def read(door, person, device: str, metric=PPG, **form):
    request = ReadSeriesRequest(device_id=device, metric=metric, **form)
    return list(door.series.ReadSeries(request, metadata=person.metadata, timeout=4 * PATIENCE))


def raw(door, person, device: str, metric=PPG, **form):
    return [one for answer in read(door, person, device, metric, **form) for one in answer.samples]


def buckets(door, person, device: str, seconds: int, metric=PPG, **form):
    width = FixedBuckets(width=Duration(seconds=seconds))
    return [one for answer in read(door, person, device, metric, buckets=width, **form) for one in answer.buckets]
