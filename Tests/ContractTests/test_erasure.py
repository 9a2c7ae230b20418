"""Somebody leaves: the account is closed at once, everything goes from every service, and a signed receipt says so."""

import uuid

import grpc
import pytest
from client.cluster import EVERYWHERE
from client.erasures import finished, verified
from client.methods import KEEPERS
from client.people import PATIENCE, Person
from client.readings import heart_rate, watch
from client.refusals import invalid, refused
from heartguard.chat.v1 import checkpoints_pb2, checkpoints_service_pb2
from heartguard.chat.v1.chat_pb2 import ROLE_USER
from heartguard.chat.v1.chat_service_pb2 import AppendMessagesRequest, CreateSessionRequest, ListSessionsRequest, NewMessage
from heartguard.erasure.v1 import erasure_service_pb2, erasure_service_pb2_grpc
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.users.v1 import users_pb2
from heartguard.users.v1.users_service_pb2 import (
    EraseAccountRequest,
    EraseAccountResponse,
    EraseUserRequest,
    EraseUserResponse,
    GetErasureRequest,
    GetErasureResponse,
    GetProfileRequest,
    GiveConsentRequest,
    LogInRequest,
    RefreshTokenRequest,
    RegisterRequest,
)
from heartguard.vectors.v1.memories_pb2 import NewMemory
from heartguard.vectors.v1.memories_service_pb2 import UpsertMemoriesRequest
from heartguard.vitals.v1.vitals_service_pb2 import ListDevicesRequest, RecordObservationsRequest



def fill(direct, person) -> None:
    consent = GiveConsentRequest(kind=users_pb2.CONSENT_KIND_RESEARCH, document_version="2026-02")
    person.calls(direct.users.GiveConsent, consent)
    person.calls(direct.vitals.RegisterDevice, watch())
    readings = [heart_rate(number) for number in range(100)]
    person.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=readings))
    session = person.calls(direct.chat.CreateSession, CreateSessionRequest(title="Pulse")).session
    messages = [NewMessage(client_id=str(number), role=ROLE_USER, content="Hello") for number in range(3)]
    person.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=session.id, messages=messages))
    remembered = NewMemory(id="pulse", content="Watches the pulse", memory_type="note", embedding=[1.0] * 384)
    person.calls(
        direct.memories.UpsertMemories,
        UpsertMemoriesRequest(model_id="sentence-transformers/all-MiniLM-L6-v2", memories=[remembered]),
    )
    person.calls(
        direct.checkpoints.PutCheckpoint,
        checkpoints_service_pb2.PutCheckpointRequest(
            thread_id="agent",
            checkpoint_id="1f1eba20-7e4e-6a42-b1ec-5a5e8f46ba11",
            content=checkpoints_pb2.TypedValue(type="x", data=b"content"),
            metadata="{}",
        ),
    )


@pytest.fixture
def erased(direct, ada):
    """Ada, whose account has just been closed, and the erasure."""
    fill(direct, ada)
    answer = ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password))
    return ada, answer.erasure


def test_it_needs_the_password(door, ada):
    with refused("UNAUTHENTICATED"):
        ada.calls(door.users.EraseAccount, EraseAccountRequest(password="another password"))
    with invalid("password"):
        ada.calls(door.users.EraseAccount, EraseAccountRequest())
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user


def test_from_the_answer_on_the_account_is_closed_everywhere(front, direct, gateway, erased):
    ada, erasure = erased
    assert erasure.state == users_pb2.ERASURE_STATE_PENDING
    assert not erasure.receipt and not erasure.HasField("finished_at")
    for door in (front, direct):
        for method, request in (
            (door.users.GetProfile, GetProfileRequest()),
            (door.vitals.ListDevices, ListDevicesRequest()),
            (door.chat.ListSessions, ListSessionsRequest()),
        ):
            with refused("UNAUTHENTICATED"):
                ada.calls(method, request)
    with refused("UNAUTHENTICATED"):
        ada.calls(gateway.GetPatientOverview, GetPatientOverviewRequest())
    with refused("UNAUTHENTICATED"):
        direct.users.RefreshToken(RefreshTokenRequest(refresh_token=ada.tokens.refresh_token), timeout=PATIENCE)
    with refused("UNAUTHENTICATED"):
        direct.users.LogIn(LogInRequest(email=ada.email, password=ada.password), timeout=PATIENCE)
    again = RegisterRequest(email=ada.email, password=ada.password, name="Ada Again")
    assert direct.users.Register(again, timeout=PATIENCE).user.id != ada.user.id


def test_the_receipt_says_what_every_service_removed_and_names_nobody(cluster, direct, operator, bob, erased):
    ada, erasure = erased
    fill(direct, bob)

    done = finished(direct.users, operator, erasure.id)

    receipt = verified(cluster, done.receipt)
    assert receipt["jti"] == erasure.id
    assert receipt["requested_by"] == "user"
    assert receipt["iat"] == done.finished_at.seconds
    removed = receipt["removed"]
    for tables in removed.values():
        # answers are kept of calls with a key, which these are with --twice
        tables.pop("idempotency_keys", None)
    assert removed["users"] == {"users": 1, "sessions": 1, "refresh_tokens": 1, "user_consents": 1, "consent_history": 1}
    assert removed["vitals"] == {"timelines": 1, "user_devices": 1, "vitals": 100}
    chat = removed["chat"]
    assert (chat["chat_sessions"], chat["chat_messages"], chat["checkpoint_threads"], chat["checkpoints"]) == (1, 3, 1, 1)
    assert removed["vectors"] == {"vector_user_memories": 1}
    for secret in (ada.user.id, ada.email, "Ada", "Pulse"):
        assert secret not in str(receipt)
    # nobody else has lost anything
    assert bob.calls(direct.users.GetProfile, GetProfileRequest()).user == bob.user
    assert len(bob.calls(direct.vitals.ListDevices, ListDevicesRequest()).devices) == 1
    assert len(bob.calls(direct.chat.ListSessions, ListSessionsRequest()).sessions) == 1
    with refused("NOT_FOUND"):
        operator.calls(direct.users.EraseUser, EraseUserRequest(user_id=ada.user.id))


def test_an_operator_erases_and_asks_at_the_json_door(cluster, json_door, direct, operator, ada, bob):
    path = f"/v1/users/{ada.user.id}/erasures"
    json_door.refuses(403, "PERMISSION_DENIED", "POST", path, person=bob, json={})
    asked = json_door.answers(EraseUserResponse, "POST", path, person=operator, json={}).erasure
    assert json_door.answers(EraseUserResponse, "POST", path, person=operator, json={}).erasure.id == asked.id
    assert operator.calls(direct.users.EraseUser, EraseUserRequest(user_id=ada.user.id)).erasure.id == asked.id
    json_door.refuses(401, "UNAUTHENTICATED", "GET", "/v1/profile", person=ada)
    finished(direct.users, operator, asked.id)
    done = json_door.answers(GetErasureResponse, "GET", f"/v1/erasures/{asked.id}", person=operator).erasure
    assert verified(cluster, done.receipt)["requested_by"] == "operator"
    json_door.refuses(404, "NOT_FOUND", "POST", path, person=operator, json={})


def test_a_person_leaves_at_the_json_door(json_door, ada):
    body = {"password": ada.password}
    answer = json_door.answers(EraseAccountResponse, "POST", "/v1/profile:erase", person=ada, json=body)
    assert uuid.UUID(answer.erasure.id)
    json_door.refuses(401, "UNAUTHENTICATED", "POST", "/v1/profile:erase", person=ada, json=body)


def test_an_operators_account_stays(direct, cluster, operator):
    password = cluster.credentials["operator"]["password"]
    with refused("FAILED_PRECONDITION"):
        operator.calls(direct.users.EraseAccount, EraseAccountRequest(password=password))
    with refused("NOT_FOUND"):
        operator.calls(direct.users.EraseUser, EraseUserRequest(user_id=str(uuid.uuid4())))
    with refused("NOT_FOUND"):
        operator.calls(direct.users.GetErasure, GetErasureRequest(erasure_id=str(uuid.uuid4())))


def erase(channel: grpc.Channel, person: Person, **options):
    stub = erasure_service_pb2_grpc.ErasureServiceStub(channel)
    request = erasure_service_pb2.EraseRecordsRequest(erasure_id=str(uuid.uuid4()), user_id=person.user.id)
    return stub.EraseRecords(request, timeout=PATIENCE, **options)


@pytest.mark.parametrize("program", KEEPERS)
def test_only_users_may_have_records_removed_and_of_nobody_whose_account_stands(cluster, direct, operator, bob, program):
    fill(direct, bob)
    with cluster.new_channel(program, showing="users") as channel, refused("FAILED_PRECONDITION"):
        erase(channel, bob)
    with cluster.new_channel(program, showing="gateway") as channel, refused("PERMISSION_DENIED"):
        erase(channel, bob)
    for options in ({}, {"metadata": bob.metadata}, {"metadata": operator.metadata}):
        with refused("UNAUTHENTICATED"):
            erase(cluster.channel(program), bob, **options)
    assert len(bob.calls(direct.vitals.ListDevices, ListDevicesRequest()).devices) == 1


@pytest.mark.parametrize("program", sorted(set(EVERYWHERE) - set(KEEPERS)))
def test_nobody_else_has_such_a_method(cluster, bob, program):
    with cluster.new_channel(program, showing="users") as channel, refused("UNIMPLEMENTED"):
        erase(channel, bob)
