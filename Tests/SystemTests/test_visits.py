"""Visits whose time has come: nobody books in the past, so the database is told that they lie there."""

import secrets

from client.refusals import refused
from client.visits import cancel, confirm, free_slots, hold
from heartguard.users.v1 import appointments_service_pb2 as appointments
from heartguard.users.v1 import calendar_service_pb2 as calendar
from test_audit import psql


def begin(cluster, visit) -> None:
    """The visit began long ago, at a time at which nobody else's does."""
    minutes = 10_000 + 60 * secrets.randbelow(10_000)
    begun = f"date_trunc('minute', now()) - interval '{minutes} minutes'"
    psql(cluster, f"UPDATE users.appointments SET starts_at = {begun}, ends_at = {begun} + interval '30 minutes' WHERE id = '{visit.id}'")


def test_what_came_of_a_visit_is_said_by_operators_once_it_has_begun(cluster, front, json_door, ada, operator):
    first, second = (confirm(front, ada, hold(front, ada, slot)) for slot in free_slots(front, ada, 2))
    for visit in (first, second):
        begin(cluster, visit)

    ids = appointments.CompleteAppointmentRequest(user_id=ada.user.id, appointment_id=first.id)
    took_place = operator.calls(front.appointments.CompleteAppointment, ids).appointment
    assert took_place.status == appointments.APPOINTMENT_STATUS_COMPLETED and took_place.HasField("completed_at")
    assert operator.calls(front.appointments.CompleteAppointment, ids).appointment == took_place
    path = f"/v1/users/{ada.user.id}/appointments/{second.id}/noShow"
    missed = json_door.answers(appointments.MarkNoShowResponse, "POST", path, person=operator, json={}).appointment
    assert missed.status == appointments.APPOINTMENT_STATUS_NO_SHOW

    for visit in (first, second):
        with refused("FAILED_PRECONDITION"):
            cancel(front, ada, visit)
    with refused("FAILED_PRECONDITION"):
        operator.calls(
            front.appointments.MarkNoShow, appointments.MarkNoShowRequest(user_id=ada.user.id, appointment_id=first.id)
        )
    request = appointments.ListAppointmentsRequest(statuses=["APPOINTMENT_STATUS_COMPLETED", "APPOINTMENT_STATUS_NO_SHOW"])
    assert {visit.id for visit in ada.calls(front.appointments.ListAppointments, request).appointments} == {first.id, second.id}
    entries = ada.calls(front.calendar.ListCalendarEvents, calendar.ListCalendarEventsRequest()).events
    assert {entry.status for entry in entries} == {calendar.CALENDAR_EVENT_STATUS_DONE}
