"""Writes with an idempotency-key: each takes effect once and is answered with the same bytes, however often it is made. With `--twice` all
the other tests make their writes twice as well."""

import concurrent.futures
import contextlib
import random
import statistics
import time
import uuid

import grpc
import pytest
from client import keys, methods, people
from client.clinicians import acting, let_in, made_clinician
from client.json_door import fields_of
from client.keys import FIELD, REPLAYED, ask, new_key
from client.methods import Method
from client.people import PATIENCE
from client.readings import HEART_RATE, heart_rate
from client.refusals import invalid, refused
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest, CreateSessionResponse, ListSessionsRequest, RenameSessionRequest
from heartguard.policy.v1 import policy_pb2
from heartguard.users.v1.users_service_pb2 import ChangePasswordRequest, GetProfileRequest, RegisterRequest, UpdateProfileRequest
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1.vectors_service_pb2 import CreateCollectionRequest, UpsertDocumentsRequest, UpsertDocumentsResponse
from heartguard.vitals.v1.vitals_service_pb2 import ListObservationsRequest, RecordObservationsRequest, RecordObservationsResponse

CREATE = methods.named("ChatService.CreateSession")
RECORD = methods.named("VitalsService.RecordObservations")
UPSERT = methods.named("VectorsService.UpsertDocuments")
WRITES = [method for method in methods.ALL if method.changes_something]


def sessions(door, person) -> list:
    return list(person.calls(door.chat.ListSessions, ListSessionsRequest(page_size=100)).sessions)


def create(door, person, *given: str, title: str = "Pulse", **options) -> keys.Answer:
    """Opens a conversation: without a key, another at each call."""
    return ask(CREATE, door.channel("chat"), CreateSessionRequest(title=title), person, *given, **options)


def test_a_write_takes_effect_once_and_is_answered_with_the_same_bytes(door, ada):
    key = new_key()
    first, second = create(door, ada, key), create(door, ada, key)

    assert (first.is_replayed, second.is_replayed) == (False, True)
    assert first.content == second.content
    assert [session.id for session in sessions(door, ada)] == [CreateSessionResponse.FromString(first.content).session.id]

    assert create(door, ada).content != create(door, ada).content
    assert len(sessions(door, ada)) == 3


def test_the_same_at_either_door_is_the_same(front, direct, json_door, ada):
    key = new_key()
    answers = [create(door, ada, key) for door in (front, direct, front)]
    assert len({answer.content for answer in answers}) == 1
    written = [
        json_door.request("POST", "/v1/chats", person=ada, json={"title": "Pulse"}, headers={FIELD: header}) for header in (key, f'"{key}"')
    ]
    assert [response.headers[REPLAYED] for response in written] == ["true", "true"]
    assert len({response.content for response in written}) == 1
    assert written[0].json()["session"]["id"] == CreateSessionResponse.FromString(answers[0].content).session.id
    assert len(sessions(direct, ada)) == 1


def test_another_request_with_the_same_key_is_refused(door, json_door, ada):
    key = new_key()
    create(door, ada, key)
    with refused("FAILED_PRECONDITION") as refusal:
        create(door, ada, key, title="Breath")
    assert refusal.reason == ("application.heartguard", "IDEMPOTENCY_KEY_REUSED")
    error = json_door.refuses(
        422, "FAILED_PRECONDITION", "POST", "/v1/chats", person=ada, json={"title": "Breath"}, headers={FIELD: key}
    )
    assert "another request" in error["message"]
    assert len(sessions(door, ada)) == 1


def test_a_request_is_the_same_in_whatever_order_it_is_written(door, operator):
    name = f"keyed_{uuid.uuid4().hex[:8]}"
    made = CreateCollectionRequest(name=name, model_id="two-d", dimension=2, metric="METRIC_COSINE")
    operator.calls(door.vectors.CreateCollection, made)
    document = vectors_pb2.Document(id="1", embedding=[1, 2], content="One", metadata={"a": "1", "b": "2"})
    request = UpsertDocumentsRequest(collection=name, model_id="two-d", documents=[document])
    written = request.SerializeToString(deterministic=True)
    a, b = (vectors_pb2.Document(metadata={letter: number}).SerializeToString() for letter, number in ("a1", "b2"))
    swapped = written.replace(a + b, b + a)
    assert swapped != written and UpsertDocumentsRequest.FromString(swapped) == request

    key = new_key()
    first, second = (ask(UPSERT, door.channel("vectors"), content, operator, key) for content in (written, swapped))
    assert second == keys.Answer(first.content, True)
    position = UpsertDocumentsResponse.FromString(first.content).position
    third = UpsertDocumentsResponse.FromString(ask(UPSERT, door.channel("vectors"), written, operator, new_key()).content)
    assert third.position == position + 1, "the repetition moved the collection on"


def test_a_key_is_its_callers_and_of_one_method(door, ada, bob):
    key = new_key()
    mine, theirs = create(door, ada, key), create(door, bob, key)
    assert not theirs.is_replayed and theirs.content != mine.content
    session = CreateSessionResponse.FromString(mine.content).session.id
    rename = methods.named("ChatService.RenameSession")
    renamed = ask(rename, door.channel("chat"), RenameSessionRequest(session_id=session, title="Breath"), ada, key)
    assert not renamed.is_replayed
    assert sessions(door, ada)[0].title == "Breath"
    assert len(sessions(door, bob)) == 1


def test_a_clinicians_key_is_another_for_each_patient(front, direct, operator, ada, bob):
    cora = made_clinician(direct, operator)
    key, request = new_key(), RecordObservationsRequest(observations=[heart_rate(1)])
    for patient in (ada, bob):
        let_in(direct, patient, cora, policy_pb2.CARE_SCOPE_VITALS_WRITE)
        metadata = acting(cora, patient)
        first, second = (ask(RECORD, front.channel("vitals"), request, metadata, key) for _ in range(2))
        assert (first.is_replayed, second.is_replayed) == (False, True)
        assert first.content == second.content
        assert RecordObservationsResponse.FromString(first.content).recorded_count == 1
        found = patient.calls(direct.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE, page_size=10)).observations
        assert len(found) == 1
    with refused("PERMISSION_DENIED"):
        ask(RECORD, front.channel("vitals"), request, acting(cora, people.register(direct.users)), key)


def test_an_error_is_no_answer(door, ada):
    key = new_key()
    with refused("NOT_FOUND"):
        ask(
            methods.named("ChatService.RenameSession"),
            door.channel("chat"),
            RenameSessionRequest(session_id=str(uuid.uuid4()), title="Pulse"),
            ada,
            key,
        )
    session = CreateSessionResponse.FromString(create(door, ada, new_key()).content).session.id
    again = ask(
        methods.named("ChatService.RenameSession"), door.channel("chat"), RenameSessionRequest(session_id=session, title="New"), ada, key
    )
    assert not again.is_replayed


@pytest.mark.parametrize("key", ["", "a b", '"', '"a', '""', "k" * 256, '"a";p=1'])
def test_what_is_no_key_is_refused(door, json_door, ada, key):
    with invalid(FIELD):
        create(door, ada, key)
    if key:
        error = json_door.refuses(400, "INVALID_ARGUMENT", "POST", "/v1/chats", person=ada, json={}, headers={FIELD: key})
        assert fields_of(error) == {FIELD}
    assert sessions(door, ada) == []


def test_one_key_is_enough(door, ada):
    with invalid(FIELD):
        create(door, ada, "one", "two")


def test_what_only_reads_ignores_it(door, json_door, ada):
    profile = methods.named("UsersService.GetProfile")
    for _ in range(2):
        assert not ask(profile, door.channel("users"), GetProfileRequest(), ada, "a b").is_replayed
    response = json_door.request("GET", "/v1/profile", person=ada, headers={FIELD: "k"})
    assert response.status_code == 200 and REPLAYED not in response.headers


def test_secrets_are_kept_by_nobody(door, ada):
    change = ChangePasswordRequest(current_password=ada.password, new_password=people.new_password())
    with invalid(FIELD) as refusal:
        ask(methods.named("UsersService.ChangePassword"), door.channel("users"), change, ada, new_key())
    assert "secret" in refusal.message
    request = RegisterRequest(email=people.new_email(), password=people.new_password(), name="Ada")
    with invalid(FIELD):
        ask(methods.named("UsersService.Register"), door.channel("users"), request, [], new_key())
    ada.calls(door.users.GetProfile, GetProfileRequest())


def test_streams_take_none(door, ada):
    with invalid(FIELD):
        list(door.drafts.StreamMessage(iter([]), metadata=[*ada.metadata, (FIELD, new_key())], timeout=PATIENCE))


@pytest.mark.parametrize("method", [method for method in WRITES if not method.is_streaming], ids=str)
def test_every_write_says_whether_it_takes_a_key(cluster, door, operator, method: Method):
    """With an empty request: what is refused for the key is refused before anything is read."""
    try:
        ask(method, door.channel(method.owner), b"", operator, "a b")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
        takes_none = "takes none" in error.details()
        assert error.details().startswith(FIELD)
        assert takes_none != method.keeps_answers
    else:
        raise AssertionError("a key that is none was passed over")


def test_two_hundred_at_a_time_are_one(door, direct, ada):
    key = new_key()
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: create(door, ada, key), range(200)))
    assert len({answer.content for answer in answers}) == 1
    assert sum(not answer.is_replayed for answer in answers) == 1
    assert len(sessions(direct, ada)) == 1


def test_who_goes_away_at_any_moment_and_comes_again_finds_it_done_once(door, direct, ada):
    chance, seen = random.Random(7), []
    stub = door.channel("chat").unary_unary(CREATE.path, request_serializer=bytes, response_deserializer=bytes)
    request = CreateSessionRequest(title="Pulse").SerializeToString()
    times = []
    for _ in range(9):
        began = time.monotonic()
        create(door, ada, new_key())
        times.append(time.monotonic() - began)
    # Half of them before the answer, however long that takes here and now.
    longest = 2 * statistics.median(times)
    for _ in range(100):
        key = new_key()
        call = stub.future(request, metadata=[*ada.metadata, (FIELD, key)], timeout=PATIENCE)
        with contextlib.suppress(grpc.FutureTimeoutError, grpc.FutureCancelledError):
            call.result(timeout=chance.uniform(0, longest))
        call.cancel()
        answer = create(door, ada, key)
        seen.append(answer.is_replayed)
        assert create(door, ada, key) == keys.Answer(answer.content, True)
    assert len(set(seen)) == 2, "each went away at the same moment"
    ids, token = set(), ""
    while True:
        page = ada.calls(direct.chat.ListSessions, ListSessionsRequest(page_size=100, page_token=token))
        ids |= {session.id for session in page.sessions}
        token = page.next_page_token
        if not token:
            break
    assert len(ids) == len(times) + 100


def test_what_was_changed_is_seen_behind_the_answer(front, gateway, ada):
    """Caches are told when the change is committed, not before."""
    update = methods.named("UsersService.UpdateProfile")
    for number in range(20):
        ada.calls(front.users.GetProfile, GetProfileRequest())
        ask(update, front.channel("users"), UpdateProfileRequest(name=f"Ada {number}"), ada, new_key())
        assert ada.calls(front.users.GetProfile, GetProfileRequest()).user.name == f"Ada {number}"
