"""Who can be booked, and when."""

import datetime

from client import visits
from client.refusals import invalid, refused
from client.visits import CARDIOLOGIST, stamp
from heartguard.users.v1 import providers_service_pb2 as providers


def search(door, person, **fields):
    return person.calls(door.providers.SearchProviders, providers.SearchProvidersRequest(**fields))


def test_providers_are_found_by_what_they_are_asked_to_be(door, reader):
    assert [p.name for p in search(door, reader, query="samp card").providers] == ["Sample Cardiologist"]
    everybody = search(door, reader).providers
    assert [float(p.rating or 0) for p in everybody] == sorted((float(p.rating or 0) for p in everybody), reverse=True)
    assert {p.name for p in search(door, reader, language="de").providers} == {"Sample General Practitioner"}
    assert all(p.specialty == providers.SPECIALTY_NUTRITION for p in search(door, reader, specialty="SPECIALTY_NUTRITION").providers)
    assert all(float(p.rating) >= 4.8 for p in search(door, reader, min_rating="4.8", telehealth_only=True).providers)
    assert not search(door, reader, query="nobody").providers


def test_pages_hold_everybody_once(door, reader):
    ids, token = [], ""
    while True:
        page = search(door, reader, page_size=2, page_token=token)
        ids += [provider.id for provider in page.providers]
        token = page.next_page_token
        if not token:
            break
    assert len(ids) == len(set(ids)) >= 5
    with invalid("page_token"):
        search(door, reader, query="other", page_token=search(door, reader, page_size=2).next_page_token)


def test_one_provider(door, reader):
    request = providers.GetProviderRequest(provider_id=CARDIOLOGIST)
    provider = reader.calls(door.providers.GetProvider, request).provider
    assert (provider.name, provider.time_zone, provider.consultation_fee) == ("Sample Cardiologist", "America/New_York", "220.00")
    with refused("NOT_FOUND"):
        reader.calls(door.providers.GetProvider, providers.GetProviderRequest(provider_id="01890000-0000-7000-8000-0000000000ff"))


def test_slots_are_in_the_provider_s_hours_there(door, reader):
    zone = datetime.timezone(datetime.timedelta(hours=-4))
    # In July New York is four hours behind UTC, and nobody books for then here.
    day = datetime.datetime(visits.now().year + 1, 7, 5, tzinfo=zone)
    if day > visits.now() + datetime.timedelta(days=366):
        day = day.replace(year=day.year - 1)
    request = providers.ListFreeSlotsRequest(
        provider_id=CARDIOLOGIST, start_at=stamp(day), end_at=stamp(day + datetime.timedelta(days=7)), page_size=500
    )
    slots = reader.calls(door.providers.ListFreeSlots, request).slots
    starts = [slot.starts_at.ToDatetime(datetime.UTC).astimezone(zone) for slot in slots]
    assert len(starts) == 5 * 14
    assert {start.isoweekday() for start in starts} == {1, 2, 3, 4, 5}
    assert {(s.hour, s.minute) for s in starts} == {(h, m) for h in (9, 10, 11, 13, 14, 15, 16) for m in (0, 30)}


def test_what_makes_no_sense_is_refused(door, reader):
    with invalid("query", "min_rating", "language", "page_size"):
        search(door, reader, query="&", min_rating="six", language="english!", page_size=-1)
    with invalid("provider_id", "start_at", "end_at"):
        reader.calls(door.providers.ListFreeSlots, providers.ListFreeSlotsRequest(provider_id="x"))
    with invalid("end_at"):
        start = visits.now()
        request = providers.ListFreeSlotsRequest(
            provider_id=CARDIOLOGIST, start_at=stamp(start), end_at=stamp(start + datetime.timedelta(days=32))
        )
        reader.calls(door.providers.ListFreeSlots, request)


def test_at_the_json_door(json_door, front, reader):
    found = json_door.answers(
        providers.SearchProvidersResponse, "GET", "/v1/providers", person=reader, params={"query": "sample", "minRating": "4.9"}
    )
    assert found == search(front, reader, query="sample", min_rating="4.9")
    one = json_door.answers(providers.GetProviderResponse, "GET", f"/v1/providers/{CARDIOLOGIST}", person=reader)
    assert one.provider.name == "Sample Cardiologist"
    start = visits.now() + datetime.timedelta(days=1)
    params = {"startAt": stamp(start).ToJsonString(), "endAt": stamp(start + datetime.timedelta(days=7)).ToJsonString(), "pageSize": 3}
    slots = json_door.answers(
        providers.ListFreeSlotsResponse, "GET", f"/v1/providers/{CARDIOLOGIST}/slots", person=reader, params=params
    )
    assert len(slots.slots) == 3 and slots.next_page_token
