"""Providers that come with a new cluster, and appointments with them as an app makes them."""

import datetime
import itertools
import secrets
import threading

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.users.v1 import appointments_service_pb2 as appointments
from heartguard.users.v1 import providers_service_pb2 as providers

CARDIOLOGIST = "01890000-0000-7000-8000-000000000001"

# Days that are apart, so that no two tests of a run want the same time.
_weeks = itertools.count(1)
_lock = threading.Lock()


def stamp(instant: datetime.datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(instant)
    return timestamp


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def free_slots(door, person, count: int, provider: str = CARDIOLOGIST, *, in_days: int | None = None):
    """Slots that are free, of a week that no other test has asked for, or the next behind so many days."""
    with _lock:
        start = now() + datetime.timedelta(days=4 * next(_weeks) if in_days is None else in_days)
    request = providers.ListFreeSlotsRequest(
        provider_id=provider, start_at=stamp(start), end_at=stamp(start + datetime.timedelta(days=31)), page_size=count
    )
    slots = person.calls(door.providers.ListFreeSlots, request).slots
    assert len(slots) == count
    return slots


def request(slot, provider: str = CARDIOLOGIST, **fields):
    fields = {"client_id": secrets.token_hex(8), "reason": "palpitations", **fields}
    return appointments.HoldAppointmentRequest(
        provider_id=provider,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        type=appointments.APPOINTMENT_TYPE_CONSULTATION,
        **fields,
    )


def hold(door, person, slot, **fields):
    return person.calls(door.appointments.HoldAppointment, request(slot, **fields)).appointment


def confirm(door, person, appointment):
    wish = appointments.ConfirmAppointmentRequest(appointment_id=appointment.id)
    return person.calls(door.appointments.ConfirmAppointment, wish).appointment


def cancel(door, person, appointment, reason: str = ""):
    wish = appointments.CancelAppointmentRequest(appointment_id=appointment.id, reason=reason)
    return person.calls(door.appointments.CancelAppointment, wish).appointment


def outcome(call) -> str:
    """OK, or the code that a call is refused with."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name
    return "OK"
