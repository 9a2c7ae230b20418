"""Clinicians at other people's records: what a grant opens, what it does not, and that it ends at once."""

import threading
import uuid

import grpc
import pytest
from client import methods, people
from client.clinicians import HEADER, NAMES, SCOPES, acting, covers, from_now, let_in, made_clinician, revoke
from client.doors import contexts_of
from client.methods import Method
from client.people import PATIENCE, register
from client.readings import HEART_RATE, heart_rate
from client.refusals import refused
from heartguard.chat.v1.chat_service_pb2 import AppendMessagesRequest, CreateSessionRequest, ListSessionsRequest, NewMessage
from heartguard.gateway.v1 import gateway_service_pb2 as gateway_v1
from heartguard.gateway.v1.context_service_pb2 import BuildContextRequest
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.policy.v1 import policy_pb2
from heartguard.users.v1 import roles_service_pb2, users_pb2
from heartguard.users.v1.care_grants_service_pb2 import ListGrantsRequest, ListPatientsRequest
from heartguard.users.v1.roles_service_pb2 import AssignRoleRequest
from heartguard.users.v1.users_service_pb2 import (
    EraseAccountRequest,
    GetProfileRequest,
    GetProfileResponse,
    GiveConsentRequest,
    LogOutRequest,
    WithdrawConsentRequest,
)
from heartguard.vitals.v1.live_service_pb2 import SubscribeRequest
from heartguard.vitals.v1.vitals_service_pb2 import (
    GetLatestObservationsRequest,
    ListObservationsRequest,
    RecordObservationsRequest,
)

VITALS_READ = policy_pb2.CARE_SCOPE_VITALS_READ
VITALS_WRITE = policy_pb2.CARE_SCOPE_VITALS_WRITE
PROFILE_READ = policy_pb2.CARE_SCOPE_PROFILE_READ
CHAT_READ = policy_pb2.CARE_SCOPE_CHAT_READ

STREAMS = [Method(owner, method) for owner, service in methods.STREAMS for method in service.methods]
EVERY_METHOD = methods.ALL + STREAMS
FOR_PATIENTS = [method for method in EVERY_METHOD if method.policy.scopes]


@pytest.fixture(scope="module")
def cora(direct, operator):
    return made_clinician(direct, operator)


# What the Gateway would refuse by itself, if it were empty; it asks no service then.
WELL_FORMED = {
    "ContextService.BuildContext": BuildContextRequest(session_id=str(uuid.uuid4()), query="heart", token_budget=100)
}


def answered(cluster, door, method: Method, metadata) -> str:
    """OK, or the code that a request is refused with, an empty one if that comes to a service."""
    content = WELL_FORMED[str(method)].SerializeToString() if str(method) in WELL_FORMED else b""
    channel = cluster.channel("gateway") if method.owner == "gateway" else door.channel(method.owner)
    try:
        if method.descriptor.server_streaming:
            stub = channel.unary_stream(method.path, request_serializer=lambda content: content)
            stream = stub(content, metadata=metadata, timeout=PATIENCE)
            next(stream)
            stream.cancel()
        else:
            method.bytes_stub(channel)(content, metadata=metadata, timeout=PATIENCE)
        return "OK"
    except grpc.RpcError as error:
        assert error.details()
        return error.code().name


def profile(door, metadata):
    return door.users.GetProfile(GetProfileRequest(), metadata=metadata, timeout=PATIENCE).user


def latest(door, metadata):
    return door.vitals.GetLatestObservations(GetLatestObservationsRequest(), metadata=metadata, timeout=PATIENCE).observations


def patients_of(door, clinician) -> list[str]:
    found, token = [], ""
    while True:
        page = clinician.calls(door.care_grants.ListPatients, ListPatientsRequest(page_size=100, page_token=token))
        found += [patient.user_id for patient in page.patients]
        token = page.next_page_token
        if not token:
            return found


# What the contract says ------------------------------------------------------------------------------------------


def test_nobody_is_let_into_what_is_the_persons_alone():
    opened = {str(method) for method in FOR_PATIENTS}
    assert len(opened) >= 35
    for service in ("CareGrantsService", "RolesService", "NotificationInboxService", "CheckpointService", "CalendarService"):
        assert not any(name.startswith(service) for name in opened)
    assert {name for name in opened if name.startswith("UsersService.")} == {"UsersService.GetProfile"}
    assert all(method.access == "ACCESS_USER" for method in FOR_PATIENTS)
    writing = {str(m) for m in FOR_PATIENTS if m.policy.audit == policy_pb2.AUDIT_CLASS_WRITE}
    assert all(NAMES(s).endswith("_WRITE") for m in FOR_PATIENTS if str(m) in writing for s in m.policy.scopes)
    assert all(NAMES(s).endswith("_READ") for m in FOR_PATIENTS if str(m) not in writing for s in m.policy.scopes)


# Every method ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", EVERY_METHOD, ids=str)
def test_without_a_grant_every_method_is_refused(cluster, door, cora, reader, method):
    assert answered(cluster, door, method, acting(cora, reader)) == "PERMISSION_DENIED"


@pytest.fixture(scope="module")
def patients(direct, cora):
    """For each scope somebody who has let Cora into that one."""
    found = {}
    for scope in SCOPES:
        found[scope] = register(direct.users, name=NAMES(scope))
        let_in(direct, found[scope], cora, scope)
    return found


@pytest.mark.parametrize("method", EVERY_METHOD, ids=str)
def test_a_grant_opens_exactly_what_its_scope_names(cluster, direct, cora, patients, method):
    for scope, patient in patients.items():
        code = answered(cluster, direct, method, acting(cora, patient))
        if covers(scope, method.policy.scopes):
            assert code in ("OK", "INVALID_ARGUMENT", "NOT_FOUND"), NAMES(scope)
        else:
            assert code == "PERMISSION_DENIED", NAMES(scope)


@pytest.mark.parametrize("method", FOR_PATIENTS, ids=str)
def test_the_gateway_opens_the_same(cluster, front, cora, patients, method):
    wanted = method.policy.scopes[0]
    assert answered(cluster, front, method, acting(cora, patients[wanted])) in ("OK", "INVALID_ARGUMENT", "NOT_FOUND")


# Who, and for whom -----------------------------------------------------------------------------------------------


def test_only_a_clinician_may_name_a_patient(door, direct, cora, ada, bob, operator):
    let_in(direct, ada, bob, PROFILE_READ)
    for caller in (bob, operator, ada):
        for named in (ada, bob, str(uuid.uuid4())):
            with refused("PERMISSION_DENIED"):
                profile(door, acting(caller, named))
    # and a clinician nobody but those who let them in, and not themselves
    for named in (ada, bob, cora):
        with refused("PERMISSION_DENIED"):
            profile(door, acting(cora, named))
    assert profile(door, bob.metadata) == bob.user


def test_a_refusal_does_not_tell_whether_there_is_such_a_patient(door, direct, cora, ada, bob):
    ended = let_in(direct, bob, cora, PROFILE_READ)
    revoke(direct, bob, ended)
    let_in(direct, ada, cora, VITALS_READ)
    told = set()
    for named in (ada, bob, cora, str(uuid.uuid4()), str(uuid.UUID(int=0))):
        with refused("PERMISSION_DENIED") as refusal:
            profile(door, acting(cora, named))
        told.add((refusal.code, refusal.message, refusal.reason))
    assert len(told) == 1


@pytest.mark.parametrize("garbage", ["", "x", "me", "{{{}}}", "{}, {}", "{}x", "{}".replace("-", "") + "0", "x" * 5_000])
def test_what_names_no_patient_is_refused_and_not_passed_over(door, direct, cora, ada, garbage):
    let_in(direct, ada, cora, PROFILE_READ)
    with refused("INVALID_ARGUMENT"):
        profile(door, acting(cora, garbage.replace("{}", ada.user.id)))


def test_two_patients_are_none(door, direct, cora, ada, bob):
    for patient in (ada, bob):
        let_in(direct, patient, cora, PROFILE_READ)
    with refused("INVALID_ARGUMENT"):
        profile(door, [*acting(cora, ada), (HEADER, bob.user.id)])


def test_the_json_door(json_door, direct, cora, ada, bob):
    let_in(direct, ada, cora, PROFILE_READ)
    headers = {HEADER: ada.user.id}
    assert json_door.answers(GetProfileResponse, "GET", "/v1/profile", person=cora, headers=headers).user == ada.user
    upper = {HEADER.title(): ada.user.id.upper()}
    assert json_door.answers(GetProfileResponse, "GET", "/v1/profile", person=cora, headers=upper).user == ada.user
    json_door.refuses(403, "PERMISSION_DENIED", "GET", "/v1/profile", person=cora, headers={HEADER: bob.user.id})
    json_door.refuses(403, "PERMISSION_DENIED", "GET", "/v1/profile", person=bob, headers=headers)
    json_door.refuses(403, "PERMISSION_DENIED", "GET", "/v1/consents", person=cora, headers=headers)
    for garbage in ("", "x", f"{ada.user.id}, {bob.user.id}", "x" * 10_000):
        json_door.refuses(400, "INVALID_ARGUMENT", "GET", "/v1/profile", person=cora, headers={HEADER: garbage})


# Whose records ---------------------------------------------------------------------------------------------------


def test_what_a_clinician_reads_and_records_is_the_patients(door, direct, cora, ada):
    let_in(direct, ada, cora, VITALS_WRITE, PROFILE_READ)
    metadata = acting(cora, ada)
    batch = RecordObservationsRequest(observations=[heart_rate(1), heart_rate(2)])
    recorded = door.vitals.RecordObservations(batch, metadata=metadata, timeout=PATIENCE)
    # the same readings are the same whoever sends them
    assert ada.calls(door.vitals.RecordObservations, batch).ids == recorded.ids
    own = ada.calls(door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE)).observations
    assert [reading.id for reading in own] == list(reversed(recorded.ids))
    assert list(latest(door, metadata)) == [own[0]]
    assert not cora.calls(door.vitals.ListObservations, ListObservationsRequest(code=HEART_RATE)).observations
    assert profile(door, metadata) == ada.user
    assert profile(door, cora.metadata) == cora.user
    assert profile(door, metadata) == ada.user


def test_calls_for_a_patient_are_counted_as_the_clinicians(front, direct, operator, ada):
    cora = made_clinician(direct, operator)
    let_in(direct, ada, cora, PROFILE_READ)

    def remaining(metadata):
        _, call = front.users.GetProfile.with_call(GetProfileRequest(), metadata=metadata, timeout=PATIENCE)
        told = dict(call.initial_metadata())
        return int(told["ratelimit-limit"]), int(told["ratelimit-remaining"])

    limit, _ = remaining(cora.metadata)
    calls = 60
    for _ in range(calls):
        _, left = remaining(acting(cora, ada))
    # budgets fill again all the while, and still it is Cora's that has shrunk
    assert left < remaining(ada.metadata)[1]
    assert remaining(ada.metadata)[1] > limit - calls // 2


def test_the_overview_says_what_was_not_granted_and_keeps_nobodys_for_another(gateway, direct, cora, ada, bob):
    direct.vitals.RecordObservations(
        RecordObservationsRequest(observations=[heart_rate(1)]), metadata=ada.metadata, timeout=PATIENCE
    )

    def seen(metadata):
        return gateway.GetPatientOverview(GetPatientOverviewRequest(), metadata=metadata, timeout=PATIENCE)

    def states(overview):
        return [gateway_v1.PartState.Name(part.state).removeprefix("PART_STATE_") for part in overview.parts]

    whole = seen(ada.metadata)
    with refused("PERMISSION_DENIED"):
        seen(acting(cora, ada))
    grant = let_in(direct, ada, cora, VITALS_READ)
    some = seen(acting(cora, ada))
    assert states(some) == ["NOT_GRANTED", "PRESENT", "NOT_GRANTED", "PRESENT"]
    assert list(some.latest_observations) == list(whole.latest_observations) != []
    assert not some.HasField("user") and not some.recent_sessions
    assert seen(cora.metadata).user == cora.user
    assert states(seen(ada.metadata)) == ["PRESENT"] * 4
    let_in(direct, ada, cora, VITALS_READ, PROFILE_READ, CHAT_READ)
    everything = seen(acting(cora, ada))
    assert states(everything) == ["PRESENT"] * 4 and everything.user == ada.user
    assert revoke(direct, ada, grant).HasField("revoked_at")
    assert states(seen(acting(cora, ada))) == ["PRESENT"] * 4
    for standing in ada.calls(direct.care_grants.ListGrants, ListGrantsRequest()).grants:
        revoke(direct, ada, standing)
    with refused("PERMISSION_DENIED"):
        seen(acting(cora, ada))
    with refused("PERMISSION_DENIED"):
        seen(acting(cora, bob))


def test_a_context_is_built_for_who_may_read_conversations(cluster, direct, cora, ada):
    session = ada.calls(direct.chat.CreateSession, CreateSessionRequest()).session.id
    said = [NewMessage(client_id="1", role="ROLE_USER", content="My heart races at night")]
    ada.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=said))
    request = BuildContextRequest(session_id=session, query="heart", token_budget=200)

    def built():
        return contexts_of(cluster).BuildContext(request, metadata=acting(cora, ada), timeout=PATIENCE)

    let_in(direct, ada, cora, VITALS_READ, PROFILE_READ)
    with refused("PERMISSION_DENIED"):
        built()
    let_in(direct, ada, cora, CHAT_READ)
    assert [part.message.content for part in built().messages] == ["My heart races at night"]


# The end of a grant ----------------------------------------------------------------------------------------------


def test_a_grant_that_was_revoked_is_over_at_once_and_may_be_given_again(door, direct, cora, ada):
    grant = let_in(door, ada, cora, PROFILE_READ)
    assert profile(door, acting(cora, ada)) == ada.user
    revoke(door, ada, grant)
    with refused("PERMISSION_DENIED"):
        profile(door, acting(cora, ada))
    let_in(door, ada, cora, PROFILE_READ)
    assert profile(door, acting(cora, ada)) == ada.user


def test_a_grant_ends_by_itself(door, direct, cora, ada):
    let_in(direct, ada, cora, PROFILE_READ, expires_at=from_now(seconds=3))
    assert profile(door, acting(cora, ada)) == ada.user and ada.user.id in patients_of(direct, cora)
    never = threading.Event()
    with refused("PERMISSION_DENIED"):
        for _ in range(int(PATIENCE * 10)):
            profile(door, acting(cora, ada))
            never.wait(0.1)
    assert ada.user.id not in patients_of(direct, cora)


def test_under_load_nothing_is_answered_that_was_asked_after_the_revocation(front, direct, operator, ada):
    cora = made_clinician(direct, operator)
    ada.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=[heart_rate(1)]))
    grant = let_in(direct, ada, cora, VITALS_READ, PROFILE_READ, CHAT_READ)
    revoked, stop = threading.Event(), threading.Event()
    counts, late, strange = [0, 0], [], []

    def ask(call):
        while not stop.is_set():
            is_after = revoked.is_set()
            try:
                call()
                counts[0] += 1
                if is_after:
                    late.append(call)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.PERMISSION_DENIED:
                    strange.append(error)
                elif is_after:
                    counts[1] += 1

    calls = [
        call
        for door in (front, direct)
        for call in (
            lambda door=door: latest(door, acting(cora, ada)),
            lambda door=door: profile(door, acting(cora, ada)),
            lambda door=door: door.chat.ListSessions(
                ListSessionsRequest(), metadata=acting(cora, ada), timeout=PATIENCE
            ),
        )
    ]
    threads = [threading.Thread(target=ask, args=(call,)) for call in calls]
    never = threading.Event()
    for thread in threads:
        thread.start()
    try:
        while counts[0] < 60 and not strange:
            never.wait(0.01)
        revoke(direct, ada, grant)
        revoked.set()
        while counts[1] < 60 and not strange:
            never.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not strange and not late
    assert counts[0] >= 60 and counts[1] >= 60


def test_a_stream_ends_with_its_grant(door, direct, cora, ada):
    grant = let_in(direct, ada, cora, VITALS_READ)
    stream = door.live.Subscribe(SubscribeRequest(), metadata=acting(cora, ada), timeout=4 * PATIENCE)
    next(stream)
    (reading,) = ada.calls(
        direct.vitals.RecordObservations, RecordObservationsRequest(observations=[heart_rate(1)])
    ).ids
    assert next(stream).observation.id == reading
    revoke(direct, ada, grant)
    with refused("PERMISSION_DENIED"):
        for _ in stream:
            pass
    # and one's own goes on
    own = door.live.Subscribe(SubscribeRequest(), metadata=ada.metadata, timeout=PATIENCE)
    next(own)
    own.cancel()


def test_whoever_withdraws_the_consent_to_share_lets_nobody_in_any_more(door, direct, cora, ada):
    consent = {"kind": users_pb2.CONSENT_KIND_CARE_SHARING}
    ada.calls(door.users.GiveConsent, GiveConsentRequest(document_version="2026-02", **consent))
    let_in(direct, ada, cora, VITALS_READ, PROFILE_READ)
    stream = door.live.Subscribe(SubscribeRequest(), metadata=acting(cora, ada), timeout=4 * PATIENCE)
    next(stream)
    assert profile(door, acting(cora, ada)) == ada.user
    assert not ada.calls(door.users.WithdrawConsent, WithdrawConsentRequest(**consent)).consent.granted
    with refused("PERMISSION_DENIED"):
        profile(door, acting(cora, ada))
    with refused("PERMISSION_DENIED"):
        for _ in stream:
            pass
    (grant,) = ada.calls(door.care_grants.ListGrants, ListGrantsRequest()).grants
    assert grant.HasField("revoked_at") and ada.user.id not in patients_of(direct, cora)


def test_who_is_no_clinician_any_more_is_signed_out_and_let_in_nowhere(door, direct, operator, ada):
    cora = made_clinician(direct, operator)
    let_in(direct, ada, cora, PROFILE_READ)
    assert profile(door, acting(cora, ada)) == ada.user
    demoted = AssignRoleRequest(email=cora.email, role=roles_service_pb2.ACCOUNT_ROLE_USER)
    assert operator.calls(door.roles.AssignRole, demoted).user_id == cora.user.id
    for metadata in (acting(cora, ada), cora.metadata):
        with refused("UNAUTHENTICATED"):
            profile(door, metadata)
    again = people.log_in(direct.users, cora.email, cora.password)
    with refused("PERMISSION_DENIED"):
        profile(door, acting(again, ada))
    (grant,) = ada.calls(door.care_grants.ListGrants, ListGrantsRequest()).grants
    assert grant.HasField("revoked_at")
    again = made_clinician(direct, operator, again)
    with refused("PERMISSION_DENIED"):
        profile(door, acting(again, ada))


def test_nobody_is_let_in_by_who_has_left(door, direct, cora, ada):
    let_in(direct, ada, cora, PROFILE_READ)
    ada.calls(door.users.EraseAccount, EraseAccountRequest(password=ada.password))
    with refused("PERMISSION_DENIED"):
        profile(door, acting(cora, ada))
    assert ada.user.id not in patients_of(direct, cora)


def test_who_has_left_is_let_in_nowhere(door, direct, operator, ada):
    cora = made_clinician(direct, operator)
    let_in(direct, ada, cora, PROFILE_READ)
    cora.calls(door.users.EraseAccount, EraseAccountRequest(password=cora.password))
    with refused("UNAUTHENTICATED"):
        profile(door, acting(cora, ada))
    (grant,) = ada.calls(door.care_grants.ListGrants, ListGrantsRequest()).grants
    assert grant.HasField("revoked_at")


def test_a_clinician_logs_out_as_anybody_does(door, direct, operator, ada):
    cora = made_clinician(direct, operator)
    let_in(direct, ada, cora, PROFILE_READ)
    with refused("PERMISSION_DENIED"):
        door.users.LogOut(LogOutRequest(), metadata=acting(cora, ada), timeout=PATIENCE)
    assert profile(door, acting(cora, ada)) == ada.user
    cora.calls(door.users.LogOut, LogOutRequest())
    with refused("UNAUTHENTICATED"):
        profile(door, acting(cora, ada))
    assert profile(door, ada.metadata) == ada.user
