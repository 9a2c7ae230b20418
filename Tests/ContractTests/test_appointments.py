"""Appointments: one person has a time, however many want it, and the calendar and the reminder go along."""

import concurrent.futures
import secrets
import threading
import time
import uuid

from client import people
from client.refusals import invalid, refused
from client.visits import CARDIOLOGIST, cancel, confirm, free_slots, hold, outcome
from heartguard.users.v1 import appointments_service_pb2 as appointments
from heartguard.users.v1 import calendar_service_pb2 as calendar
from heartguard.users.v1 import users_pb2
from heartguard.users.v1.records_service_pb2 import DeleteInsuranceRequest
from heartguard.users.v1.users_service_pb2 import ListNotificationsRequest
from test_records import insurance

_never = threading.Event()


def next_free(refusal) -> list:
    for detail in refusal.details:
        found = appointments.NextFreeSlots()
        if detail.Is(found.DESCRIPTOR):
            detail.Unpack(found)
            return list(found.slots)
    return []


def test_a_time_is_had_by_one_of_many(direct, front):
    crowd = [people.register(direct.users, name=f"Person {number}") for number in range(40)]
    (slot,) = free_slots(direct, crowd[0], 1)
    barrier = threading.Barrier(len(crowd))

    def race(number: int) -> str:
        barrier.wait()
        return outcome(lambda: hold(front if number % 2 else direct, crowd[number], slot))

    with concurrent.futures.ThreadPoolExecutor(len(crowd)) as pool:
        outcomes = list(pool.map(race, range(len(crowd))))
    assert sorted(outcomes) == ["ALREADY_EXISTS"] * (len(crowd) - 1) + ["OK"]


def test_who_comes_second_hears_what_is_free(door, ada, bob):
    first, second = free_slots(door, ada, 2)
    held = hold(door, ada, first)
    assert held.status == appointments.APPOINTMENT_STATUS_HELD
    with refused("ALREADY_EXISTS") as refusal:
        hold(door, bob, first)
    assert refusal.reason == ("users.heartguard", "TAKEN")
    assert 0 < refusal.retry_seconds <= 301
    assert next_free(refusal)[0] == second and len(next_free(refusal)) == 5
    confirm(door, ada, held)
    with refused("ALREADY_EXISTS") as refusal:
        hold(door, bob, first)
    assert refusal.retry_seconds is None and next_free(refusal)[0] == second
    cancel(door, ada, held)
    assert hold(door, bob, first).status == appointments.APPOINTMENT_STATUS_HELD


def test_a_hold_is_made_once_under_one_id(door, ada):
    first, second = free_slots(door, ada, 2)
    client_id = secrets.token_hex(8)
    held = hold(door, ada, first, client_id=client_id)
    assert hold(door, ada, first, client_id=client_id) == held
    with refused("ALREADY_EXISTS") as refusal:
        hold(door, ada, second, client_id=client_id)
    assert refusal.reason == ("users.heartguard", "ID_REUSED")


def test_a_policy_of_ones_own_may_be_named_to_pay(door, ada, bob):
    first, second = free_slots(door, ada, 2)
    policy = ada.calls(door.records.CreateInsurance, insurance()).insurance
    client_id = secrets.token_hex(8)
    held = hold(door, ada, first, insurance_id=policy.id, client_id=client_id)
    assert held.insurance_id == policy.id
    assert hold(door, ada, first, insurance_id=policy.id, client_id=client_id) == held
    for person, named in ((bob, policy.id), (ada, str(uuid.uuid4()))):
        with refused("NOT_FOUND"):
            hold(door, person, second, insurance_id=named)
    with invalid("insurance_id"):
        hold(door, ada, second, insurance_id="mine")
    booked = confirm(door, ada, held)
    assert booked.insurance_id == policy.id
    ada.calls(door.records.DeleteInsurance, DeleteInsuranceRequest(insurance_id=policy.id))
    known = ada.calls(door.appointments.GetAppointment, appointments.GetAppointmentRequest(appointment_id=booked.id)).appointment
    assert not known.HasField("insurance_id")
    assert hold(door, ada, first, insurance_id=policy.id, client_id=client_id) == known
    assert not hold(door, ada, second).HasField("insurance_id")


def test_the_calendar_goes_along(door, ada, bob):
    first, second = free_slots(door, ada, 2)
    booked = confirm(door, ada, hold(door, ada, first))

    def entry():
        request = calendar.ListCalendarEventsRequest(include_cancelled=True)
        (found,) = ada.calls(door.calendar.ListCalendarEvents, request).events
        return found

    assert entry().appointment_id == booked.id and entry().starts_at == first.starts_at
    request = appointments.RescheduleAppointmentRequest(
        appointment_id=booked.id, starts_at=second.starts_at, ends_at=second.ends_at, expected_version=booked.version
    )
    moved = ada.calls(door.appointments.RescheduleAppointment, request).appointment
    assert moved.version == booked.version + 1
    assert ada.calls(door.appointments.RescheduleAppointment, request).appointment == moved
    assert entry().starts_at == second.starts_at
    hold(door, bob, first)
    cancelled = cancel(door, ada, booked, "better")
    assert cancelled.cancellation_reason == "better"
    assert entry().status == calendar.CALENDAR_EVENT_STATUS_CANCELLED
    with refused("FAILED_PRECONDITION"):
        confirm(door, ada, booked)


def test_a_reminder_that_is_due_is_sent(door, ada, bob):
    # A reminder four weeks before is due at once.
    (slot,) = free_slots(door, ada, 1, in_days=1)
    assert slot.starts_at.seconds - time.time() < 28 * 86_400
    booked = confirm(door, ada, hold(door, ada, slot, reminder_minutes=40_320))
    end = time.monotonic() + 60
    while not (sent := ada.calls(door.users.ListNotifications, ListNotificationsRequest()).notifications):
        assert time.monotonic() < end, "no reminder was sent within a minute"
        _never.wait(0.1)
    assert sent[0].kind == users_pb2.NOTIFICATION_KIND_APPOINTMENT_REMINDER
    assert "Sample Cardiologist" in sent[0].body
    assert booked.reminder_minutes == 40_320


def test_appointments_are_their_person_s(door, ada, bob):
    (slot,) = free_slots(door, ada, 1)
    held = hold(door, ada, slot)
    with refused("NOT_FOUND"):
        bob.calls(door.appointments.GetAppointment, appointments.GetAppointmentRequest(appointment_id=held.id))
    with refused("NOT_FOUND"):
        confirm(door, bob, held)
    with refused("NOT_FOUND"):
        cancel(door, bob, held)
    assert not bob.calls(door.appointments.ListAppointments, appointments.ListAppointmentsRequest()).appointments
    listed = ada.calls(door.appointments.ListAppointments, appointments.ListAppointmentsRequest()).appointments
    assert list(listed) == [held]


def test_what_came_of_one_is_said_by_operators_and_not_before_it_began(door, ada, operator):
    (slot,) = free_slots(door, ada, 1)
    booked = confirm(door, ada, hold(door, ada, slot))
    ids = {"user_id": ada.user.id, "appointment_id": booked.id}
    for method, request in (
        (door.appointments.CompleteAppointment, appointments.CompleteAppointmentRequest(**ids)),
        (door.appointments.MarkNoShow, appointments.MarkNoShowRequest(**ids)),
    ):
        with refused("PERMISSION_DENIED"):
            ada.calls(method, request)
        with refused("FAILED_PRECONDITION") as refusal:
            operator.calls(method, request)
        assert refusal.reason == ("users.heartguard", "HAS_NOT_BEGUN")


def test_pages_of_appointments(door, ada):
    slots = free_slots(door, ada, 3)
    held = [hold(door, ada, slot) for slot in slots]
    with refused("RESOURCE_EXHAUSTED"):
        hold(door, ada, free_slots(door, ada, 1)[0])
    found, token = [], ""
    while True:
        request = appointments.ListAppointmentsRequest(page_size=2, page_token=token)
        page = ada.calls(door.appointments.ListAppointments, request)
        found += page.appointments
        token = page.next_page_token
        if not token:
            break
    assert found == list(reversed(held))
    expired = appointments.ListAppointmentsRequest(statuses=[appointments.APPOINTMENT_STATUS_EXPIRED])
    assert not ada.calls(door.appointments.ListAppointments, expired).appointments


def test_what_makes_no_sense_is_refused(door, ada):
    with invalid("client_id", "provider_id", "starts_at", "ends_at", "type", "reason"):
        ada.calls(door.appointments.HoldAppointment, appointments.HoldAppointmentRequest())
    (slot,) = free_slots(door, ada, 1)
    with invalid("reason"):
        hold(door, ada, slot, reason="x" * 1001)
    slot.starts_at.seconds += 60
    slot.ends_at.seconds += 60
    with refused("FAILED_PRECONDITION") as refusal:
        hold(door, ada, slot)
    assert refusal.reason == ("users.heartguard", "OUTSIDE_HOURS") and len(next_free(refusal)) == 5


def test_at_the_json_door(json_door, front, ada, bob):
    first, second = free_slots(front, ada, 2)
    wish = {
        "clientId": secrets.token_hex(8),
        "providerId": CARDIOLOGIST,
        "startsAt": first.starts_at.ToJsonString(),
        "endsAt": first.ends_at.ToJsonString(),
        "type": "APPOINTMENT_TYPE_CHECK_UP",
        "reason": "palpitations",
    }
    held = json_door.answers(appointments.HoldAppointmentResponse, "POST", "/v1/appointments", person=ada, json=wish).appointment
    error = json_door.refuses(409, "ALREADY_EXISTS", "POST", "/v1/appointments", person=bob, json={**wish, "clientId": "mine"})
    (free,) = [d for d in error["details"] if d["@type"].endswith("/heartguard.users.v1.NextFreeSlots")]
    assert free["slots"][0]["startsAt"] == second.starts_at.ToJsonString()
    path = f"/v1/appointments/{held.id}"
    confirmed = json_door.answers(
        appointments.ConfirmAppointmentResponse, "POST", f"{path}/confirm", person=ada, json={}
    ).appointment
    assert confirmed.status == appointments.APPOINTMENT_STATUS_CONFIRMED
    times = {"startsAt": second.starts_at.ToJsonString(), "endsAt": second.ends_at.ToJsonString()}
    moved = json_door.answers(
        appointments.RescheduleAppointmentResponse, "POST", f"{path}/reschedule", person=ada, json=times
    ).appointment
    got = json_door.answers(appointments.GetAppointmentResponse, "GET", path, person=ada).appointment
    assert got == moved and got.starts_at == second.starts_at
    params = {"statuses": ["APPOINTMENT_STATUS_CONFIRMED", "APPOINTMENT_STATUS_HELD"]}
    listed = json_door.answers(appointments.ListAppointmentsResponse, "GET", "/v1/appointments", person=ada, params=params)
    assert list(listed.appointments) == [got]
    cancelled = json_door.answers(
        appointments.CancelAppointmentResponse, "POST", f"{path}/cancel", person=ada, json={"reason": "better"}
    )
    assert cancelled.appointment.status == appointments.APPOINTMENT_STATUS_CANCELLED
    json_door.refuses(400, "FAILED_PRECONDITION", "POST", f"{path}/confirm", person=ada, json={})
