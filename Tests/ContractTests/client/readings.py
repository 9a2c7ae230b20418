"""Vital signs to record, as devices and apps send them."""

import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.vitals.v1 import vitals_pb2
from heartguard.vitals.v1.vitals_service_pb2 import RegisterDeviceRequest

HEART_RATE = "8867-4"
GLUCOSE = "99504-3"
BLOOD_PRESSURE = "85354-9"
SYSTOLIC, DIASTOLIC = "8480-6", "8462-4"

# Far enough back that readings of the next minutes are not in the future.
BEGIN = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(days=2)


def at(seconds: float) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(BEGIN + datetime.timedelta(seconds=seconds))
    return timestamp


def quantity(value, unit: str) -> vitals_pb2.Quantity:
    return vitals_pb2.Quantity(value=str(value), unit=unit)


def heart_rate(number: int, value="72", **fields) -> vitals_pb2.Observation:
    """One a second, numbered as its device does it."""
    defaults = dict(
        code=HEART_RATE, quantity=quantity(value, "/min"), effective_at=at(number), source="watch", sequence=number
    )
    return vitals_pb2.Observation(**{**defaults, **fields})


def glucose(number: int, value="104", **fields) -> vitals_pb2.Observation:
    return heart_rate(number, **{"code": GLUCOSE, "quantity": quantity(value, "mg/dL"), "source": "cgm", **fields})


def blood_pressure(number: int, systolic="120", diastolic="80") -> vitals_pb2.Observation:
    parts = [
        vitals_pb2.Component(code=SYSTOLIC, quantity=quantity(systolic, "mm[Hg]")),
        vitals_pb2.Component(code=DIASTOLIC, quantity=quantity(diastolic, "mm[Hg]")),
    ]
    return vitals_pb2.Observation(
        code=BLOOD_PRESSURE, components=parts, effective_at=at(number), source="cuff", sequence=number
    )


def watch(serial_number: str = "W-1", name: str = "My watch") -> RegisterDeviceRequest:
    return RegisterDeviceRequest(
        kind=vitals_pb2.DEVICE_KIND_WATCH, platform="wearos", name=name, serial_number=serial_number
    )
