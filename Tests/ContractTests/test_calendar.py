"""Calendars, and what PyPI's icalendar reads of their exports."""

import datetime
import secrets
import zoneinfo

import icalendar
from client.refusals import invalid, refused
from client.visits import cancel, confirm, free_slots, hold, now, stamp
from heartguard.users.v1 import calendar_service_pb2 as calendar

TITLE = "Pill; with, a \\ long title: " + "Grüße ❤️ 心臓 " * 12


def create(door, person, start, *, hours=1.0, **fields):
    fields = {"client_id": secrets.token_hex(8), "kind": calendar.CALENDAR_EVENT_KIND_EXERCISE, "title": "Run", **fields}
    request = calendar.CreateCalendarEventRequest(
        starts_at=stamp(start), ends_at=stamp(start + datetime.timedelta(hours=hours)), **fields
    )
    return person.calls(door.calendar.CreateCalendarEvent, request).event


def listed(door, person, **fields):
    return list(person.calls(door.calendar.ListCalendarEvents, calendar.ListCalendarEventsRequest(**fields)).events)


def export(door, person, **fields):
    answer = person.calls(door.calendar.ExportCalendar, calendar.ExportCalendarRequest(**fields))
    assert answer.calendar.endswith("END:VCALENDAR\r\n")
    lines = answer.calendar.encode().split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in lines)
    read = icalendar.Calendar.from_ical(answer.calendar)
    assert not read.errors
    events = {str(event["uid"]): event for event in read.walk("VEVENT")}
    assert len(events) == answer.event_count
    assert not any(event.errors for event in events.values())
    return read, events


def test_an_entry_is_made_once_changed_and_taken_out(door, ada, bob):
    start = now().replace(microsecond=0) + datetime.timedelta(days=1)
    client_id = secrets.token_hex(8)
    made = create(door, ada, start, client_id=client_id)
    assert create(door, ada, start, client_id=client_id) == made
    with refused("ALREADY_EXISTS"):
        create(door, ada, start, client_id=client_id, title="Swim")
    assert create(door, bob, start, client_id=client_id).id != made.id

    change = calendar.UpdateCalendarEventRequest(event_id=made.id, title="Walk", expected_version=1)
    changed = ada.calls(door.calendar.UpdateCalendarEvent, change).event
    assert (changed.title, changed.version, changed.starts_at) == ("Walk", 2, made.starts_at)
    with refused("ABORTED"):
        ada.calls(door.calendar.UpdateCalendarEvent, calendar.UpdateCalendarEventRequest(event_id=made.id, title="x", expected_version=1))
    masked = calendar.UpdateCalendarEventRequest(event_id=made.id, title="x", location="Park", update_mask={"paths": ["location"]})
    changed = ada.calls(door.calendar.UpdateCalendarEvent, masked).event
    assert (changed.title, changed.location) == ("Walk", "Park")
    with refused("NOT_FOUND"):
        bob.calls(door.calendar.UpdateCalendarEvent, calendar.UpdateCalendarEventRequest(event_id=made.id, title="x"))
    assert listed(door, ada) == [changed]
    ada.calls(door.calendar.DeleteCalendarEvent, calendar.DeleteCalendarEventRequest(event_id=made.id))
    with refused("NOT_FOUND"):
        ada.calls(door.calendar.DeleteCalendarEvent, calendar.DeleteCalendarEventRequest(event_id=made.id))
    assert not listed(door, ada)


def test_pages_of_entries(door, ada):
    start = now().replace(microsecond=0) + datetime.timedelta(days=1)
    made = [create(door, ada, start + datetime.timedelta(hours=hour)) for hour in (2, 0, 1)]
    found, token = [], ""
    while True:
        page = ada.calls(door.calendar.ListCalendarEvents, calendar.ListCalendarEventsRequest(page_size=2, page_token=token))
        found += page.events
        token = page.next_page_token
        if not token:
            break
    assert found == [made[1], made[2], made[0]]
    hour = datetime.timedelta(hours=1)
    assert listed(door, ada, start_at=stamp(start + hour), end_at=stamp(start + 2 * hour)) == [made[2]]


def test_what_other_programs_read(door, ada):
    start = datetime.datetime(now().year + 1, 3, 20, 7, 30, tzinfo=datetime.UTC)
    whole = {"start_at": stamp(now()), "end_at": stamp(start + datetime.timedelta(days=30))}
    once = create(door, ada, start, title=TITLE, description="first\nsecond, third", location="Park; north", reminder_minutes=90)
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    daily = create(door, ada, start, hours=0.5, title="Pill", time_zone="Europe/Berlin", recurrence_rule="FREQ=DAILY;COUNT=20")
    midnight = datetime.datetime(start.year, 3, 27, tzinfo=berlin)
    fast = create(
        door, ada, midnight.astimezone(datetime.UTC), hours=47, title="Fast", time_zone="Europe/Berlin", all_day=True
    )
    (slot,) = free_slots(door, ada, 1)
    booked = confirm(door, ada, hold(door, ada, slot))

    read, events = export(door, ada, **whole)
    assert (read["version"], read["method"]) == ("2.0", "PUBLISH")
    event = events[f"{once.id}@heartguard"]
    assert (str(event["summary"]), str(event["description"])) == (TITLE, "first\nsecond, third")
    assert str(event["location"]) == "Park; north"
    assert event["dtstart"].dt == start and event["dtend"].dt == start + datetime.timedelta(hours=1)
    assert (event["sequence"], event["status"]) == (0, "CONFIRMED")
    assert abs(event["dtstamp"].dt - now()) < datetime.timedelta(minutes=5)
    (alarm,) = event.walk("VALARM")
    assert alarm["trigger"].dt == datetime.timedelta(minutes=-90)

    # Half past eight by the clocks of Berlin, before and behind the day on which they go forward.
    event = events[f"{daily.id}@heartguard"]
    local = start.astimezone(berlin)
    assert event["dtstart"].dt.replace(tzinfo=None) == local.replace(tzinfo=None)
    assert event["dtstart"].dt.utcoffset() == local.utcoffset()
    assert event["rrule"]["FREQ"] == ["DAILY"] and event["rrule"]["COUNT"] == [20]
    (zone,) = read.walk("VTIMEZONE")
    assert str(zone["tzid"]) == "Europe/Berlin"
    tz = zone.to_tz(icalendar.timezone.tzp, lookup_tzid=False)
    for days in (0, 3, 10, 19, 300):
        moment = local.replace(tzinfo=None) + datetime.timedelta(days=days)
        assert moment.replace(tzinfo=tz).utcoffset() == moment.replace(tzinfo=berlin).utcoffset()

    event = events[f"{fast.id}@heartguard"]
    assert (event["dtstart"].dt, event["dtend"].dt) == (midnight.date(), midnight.date() + datetime.timedelta(days=2))
    assert booked.id + "@heartguard" in events

    ada.calls(door.calendar.UpdateCalendarEvent, calendar.UpdateCalendarEventRequest(event_id=once.id, title="Short"))
    cancel(door, ada, booked)
    _, again = export(door, ada, **whole)
    assert set(again) == set(events)
    assert (again[f"{once.id}@heartguard"]["sequence"], str(again[f"{once.id}@heartguard"]["summary"])) == (1, "Short")
    assert (again[f"{booked.id}@heartguard"]["status"], again[f"{booked.id}@heartguard"]["sequence"]) == ("CANCELLED", 1)


def test_entries_of_appointments_follow_them(door, ada):
    (slot,) = free_slots(door, ada, 1)
    booked = confirm(door, ada, hold(door, ada, slot))
    with refused("FAILED_PRECONDITION"):
        ada.calls(door.calendar.DeleteCalendarEvent, calendar.DeleteCalendarEventRequest(event_id=booked.id))
    with refused("FAILED_PRECONDITION"):
        ada.calls(door.calendar.UpdateCalendarEvent, calendar.UpdateCalendarEventRequest(event_id=booked.id, title="x"))


def test_what_makes_no_sense_is_refused(door, ada):
    with invalid("client_id", "kind", "title", "starts_at", "ends_at"):
        ada.calls(door.calendar.CreateCalendarEvent, calendar.CreateCalendarEventRequest())
    with invalid("recurrence_rule", "time_zone", "reminder_minutes"):
        create(door, ada, now(), recurrence_rule="FREQ=DAILY\r\nATTACH:x", time_zone="Nowhere", reminder_minutes=-1)
    with invalid("ends_at"):
        create(door, ada, now(), hours=-1)
    with invalid("page_size"):
        listed(door, ada, page_size=-1)


def test_at_the_json_door(json_door, front, ada):
    start = now().replace(microsecond=0) + datetime.timedelta(days=1)
    body = {
        "clientId": secrets.token_hex(8),
        "kind": "CALENDAR_EVENT_KIND_OTHER",
        "title": "Walk",
        "startsAt": stamp(start).ToJsonString(),
        "endsAt": stamp(start).ToJsonString(),
    }
    made = json_door.answers(calendar.CreateCalendarEventResponse, "POST", "/v1/calendar/events", person=ada, json=body).event
    path = f"/v1/calendar/events/{made.id}"
    changed = json_door.answers(
        calendar.UpdateCalendarEventResponse, "PATCH", path, person=ada, json={"location": "Park", "expectedVersion": "1"}
    ).event
    assert (changed.location, changed.version) == ("Park", 2)
    found = json_door.answers(calendar.ListCalendarEventsResponse, "GET", "/v1/calendar/events", person=ada, params={"pageSize": 5})
    assert list(found.events) == [changed] == listed(front, ada)
    exported = json_door.answers(calendar.ExportCalendarResponse, "GET", "/v1/calendar:export", person=ada)
    assert "SUMMARY:Walk\r\n" in exported.calendar and exported.event_count == 1
    json_door.answers(calendar.DeleteCalendarEventResponse, "DELETE", path, person=ada)
    json_door.refuses(404, "NOT_FOUND", "DELETE", path, person=ada)
