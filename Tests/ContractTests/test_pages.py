"""Lists in pages that neither skip nor repeat while others write."""

import pytest
from client.readings import GLUCOSE, HEART_RATE, at, heart_rate, watch
from client.refusals import invalid
from google.protobuf.struct_pb2 import Struct
from heartguard.chat.v1.chat_service_pb2 import (
    AppendMessagesRequest,
    CreateSessionRequest,
    ListMessagesRequest,
    ListSessionsRequest,
    NewMessage,
)
from heartguard.chat.v1.memories_service_pb2 import ListMemoriesRequest
from heartguard.users.v1.users_service_pb2 import ListNotificationsRequest
from heartguard.vitals.v1.predictions_service_pb2 import ListPredictionsRequest
from heartguard.vitals.v1.vitals_service_pb2 import (
    ListObservationsRequest,
    ListSamplesRequest,
    RecordObservationsRequest,
)


def pages_of(person, method, request, field, between=lambda: None):
    """The items of all pages, with something done after each page."""
    items, token = [], None
    while token != "":
        request.page_token = token or ""
        page = person.calls(method, request)
        items.extend(getattr(page, field))
        token = page.next_page_token
        assert len(getattr(page, field)) <= request.page_size
        between()
    return items


def test_readings_that_arrive_between_two_pages_shift_nothing(door, ada):
    def record(*sequences, **fields):
        batch = [heart_rate(sequence, **fields) for sequence in sequences]
        ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=batch))

    record(*range(0, 95))
    newer = iter(range(1000, 2000))

    def arrive():
        # one that is the newest of all, and one among those that were read already
        record(next(newer))
        record(next(newer), effective_at=at(94.5))

    request = ListObservationsRequest(code=HEART_RATE, page_size=10)
    found = pages_of(ada, door.vitals.ListObservations, request, "observations", between=arrive)
    assert [reading.sequence for reading in found] == list(range(94, -1, -1))


def test_readings_of_one_instant_are_all_listed(door, ada):
    batch = [heart_rate(sequence, effective_at=at(0)) for sequence in range(25)]
    ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
    request = ListObservationsRequest(code=HEART_RATE, page_size=4)
    found = pages_of(ada, door.vitals.ListObservations, request, "observations")
    assert sorted(reading.sequence for reading in found) == list(range(25))


def test_a_page_that_is_just_full_is_the_last(door, ada):
    batch = [heart_rate(sequence) for sequence in range(10)]
    ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
    page = ada.calls(door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE, page_size=10))
    assert len(page.observations) == 10
    assert page.next_page_token == ""


def test_who_asks_for_more_than_a_page_may_hold_is_given_that(door, ada):
    for start in (0, 1000):
        batch = [heart_rate(sequence) for sequence in range(start, min(start + 1000, 1500))]
        ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
    request = ListObservationsRequest(code=HEART_RATE, page_size=1_000_000)
    page = ada.calls(door.vitals.ListObservations, request)
    assert len(page.observations) == 1000 and page.next_page_token
    request.page_token = page.next_page_token
    rest = ada.calls(door.vitals.ListObservations, request)
    assert len(rest.observations) == 500 and not rest.next_page_token


def test_messages_that_arrive_between_two_pages_come_at_the_end(door, ada):
    session = ada.calls(door.chat.CreateSession, CreateSessionRequest(title="Pages")).session.id

    def say(*numbers):
        messages = [NewMessage(client_id=str(n), role="ROLE_USER", content=f"Message {n}") for n in numbers]
        ada.calls(door.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=messages))

    say(*range(1, 26))
    later = iter((26, 27))

    def arrive():
        if number := next(later, None):
            say(number)

    request = ListMessagesRequest(session_id=session, page_size=10)
    found = pages_of(ada, door.chat.ListMessages, request, "messages", between=arrive)
    assert [message.sequence for message in found] == list(range(1, 28))
    assert [message.client_id for message in found] == [str(n) for n in range(1, 28)]


def test_a_page_of_messages_fits_into_an_answer_whatever_is_kept_with_them(door, ada):
    session = ada.calls(door.chat.CreateSession, CreateSessionRequest(title="Large")).session.id
    # of JSON 16 kB, of an answer 88
    notes = Struct()
    notes.update({"n": [0] * 8_000})
    for first in (1, 31):
        messages = [
            NewMessage(client_id=str(n), role="ROLE_USER", content=f"Message {n}", metadata=notes) for n in range(first, first + 30)
        ]
        ada.calls(door.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=messages))

    sizes, request = [], ListMessagesRequest(session_id=session, page_size=500)
    while not sizes or request.page_token:
        page = ada.calls(door.chat.ListMessages, request)
        assert page.ByteSize() < 4 << 20
        sizes.append(len(page.messages))
        request.page_token = page.next_page_token
    assert len(sizes) > 1 and sum(sizes) == 60


def test_conversations_that_begin_between_two_pages_shift_nothing(door, ada):
    made = [ada.calls(door.chat.CreateSession, CreateSessionRequest(title=f"{n}")).session.id for n in range(12)]
    request = ListSessionsRequest(page_size=5)
    found = pages_of(
        ada,
        door.chat.ListSessions,
        request,
        "sessions",
        between=lambda: ada.calls(door.chat.CreateSession, CreateSessionRequest(title="later")),
    )
    assert [session.id for session in found] == made[::-1]


@pytest.mark.parametrize("token", ["garbage", "!", "AAAA", "x" * 3000])
def test_a_token_that_no_page_gave_is_refused(door, ada, token):
    device = ada.calls(door.vitals.RegisterDevice, watch()).device.id
    session = ada.calls(door.chat.CreateSession, CreateSessionRequest()).session.id
    for method, request in (
        (door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE)),
        (door.vitals.ListSamples, ListSamplesRequest(device_id=device, metric="ppg")),
        (door.chat.ListSessions, ListSessionsRequest()),
        (door.chat.ListMessages, ListMessagesRequest(session_id=session)),
    ):
        request.page_token = token
        with invalid("page_token"):
            ada.calls(method, request)


def test_a_token_belongs_to_its_query(door, ada):
    batch = [heart_rate(sequence) for sequence in range(5)]
    ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
    page = ada.calls(door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE, page_size=2))
    with invalid("page_token"):
        request = ListObservationsRequest(code=GLUCOSE, page_size=2, page_token=page.next_page_token)
        ada.calls(door.vitals.ListObservations, request)


def test_a_token_is_of_one_list_alone(door, ada):
    for _ in range(2):
        ada.calls(door.chat.CreateSession, CreateSessionRequest())
    token = ada.calls(door.chat.ListSessions, ListSessionsRequest(page_size=1)).next_page_token
    for method, request in (
        (door.chat.ListSessions, ListSessionsRequest(archived=True)),
        (door.patient_memories.ListMemories, ListMemoriesRequest()),
        (door.users.ListNotifications, ListNotificationsRequest()),
        (door.predictions.ListPredictions, ListPredictionsRequest()),
    ):
        request.page_token = token
        with invalid("page_token"):
            ada.calls(method, request)


def test_a_token_leads_nobody_to_somebody_elses_records(door, ada, bob):
    batch = [heart_rate(sequence) for sequence in range(5)]
    ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
    page = ada.calls(door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE, page_size=2))
    request = ListObservationsRequest(code=HEART_RATE, page_size=2, page_token=page.next_page_token)
    assert not bob.calls(door.vitals.ListObservations, request).observations
