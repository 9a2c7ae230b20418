"""Who asked for what of a person's records: every call leaves one event, and the person reads it."""

import datetime
import secrets
import time
import uuid

import grpc
import pytest
from client import methods, people
from client.accesses import BEGUN, DENIED, FAILED, READ, SECURITY, SUCCEEDED, WRITE, Trace, listed, newest
from client.methods import Method
from client.people import PATIENCE, log_in, register
from client.readings import heart_rate
from client.refusals import invalid, refused
from google.protobuf import timestamp_pb2
from heartguard.audit.v1 import intake_service_pb2, intake_service_pb2_grpc
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest, GetSessionRequest, ListSessionsRequest
from heartguard.gateway.v1.context_service_pb2 import BuildContextRequest
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.policy.v1 import policy_pb2
from heartguard.users.v1 import access_log_service_pb2 as access_log
from heartguard.users.v1 import roles_service_pb2 as roles
from heartguard.users.v1.users_service_pb2 import EraseUserRequest, GetProfileRequest, LogInRequest, LogOutRequest, UpdateProfileRequest
from heartguard.vitals.v1.live_service_pb2 import SubscribeRequest
from heartguard.vitals.v1.vitals_service_pb2 import GetLatestObservationsRequest, RecordObservationsRequest

OWN = [method for method in methods.with_access("ACCESS_USER") if not method.is_streaming]
ACTIONS = {
    policy_pb2.AUDIT_CLASS_READ: READ,
    policy_pb2.AUDIT_CLASS_WRITE: WRITE,
    policy_pb2.AUDIT_CLASS_SECURITY: SECURITY,
}


@pytest.fixture(scope="module")
def carol(direct):
    return register(direct.users, name="Carol Curious")


def traced(method, request, person, trace, *more):
    return method(request, metadata=person.metadata + trace.metadata + list(more), timeout=PATIENCE)


@pytest.mark.parametrize("method", OWN, ids=str)
def test_each_call_leaves_one_event(cluster, door, direct, carol, method: Method):
    ends_sessions = method.descriptor.name.startswith("LogOut")
    person = register(direct.users) if ends_sessions else carol
    channel = cluster.channel("gateway") if method.owner == "gateway" else door.channel(method.owner)
    trace = Trace()
    code = "OK"
    try:
        method.bytes_stub(channel)(b"", metadata=person.metadata + trace.metadata, timeout=PATIENCE)
    except grpc.RpcError as error:
        code = error.code().name
        assert code in ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"), error
    if ends_sessions:
        person = log_in(direct.users, person.email, person.password)

    events = newest(direct, person, trace)
    own = [e for e in events if (e.service, e.method) == (method.descriptor.containing_service.full_name, method.descriptor.name)]
    if method.policy.audit == policy_pb2.AUDIT_CLASS_NONE:
        assert not events
        return
    assert len(own) == 1
    if method.owner != "gateway":
        assert events == own
    (event,) = own
    assert event.action == ACTIONS[method.policy.audit]
    assert (event.actor_id, event.actor_kind) == (person.user.id, access_log.ACTOR_KIND_USER)
    assert event.purpose == "PATRQT"
    assert event.program == ("gateway" if door.through_gateway and method.owner != "gateway" else "")
    if event.action == READ:
        assert event.status == code
        assert event.outcome == (SUCCEEDED if code == "OK" else FAILED)
    else:
        assert (event.status, event.outcome) == ("", BEGUN)


@pytest.mark.parametrize("name", ["GetProfile", "GetLatestObservations", "ListSessions"])
def test_answers_from_caches_leave_their_events(front, direct, ada, name):
    method, request = {
        "GetProfile": (front.users.GetProfile, GetProfileRequest()),
        "GetLatestObservations": (front.vitals.GetLatestObservations, GetLatestObservationsRequest()),
        "ListSessions": (front.chat.ListSessions, ListSessionsRequest()),
    }[name]
    trace = Trace()
    for _ in range(5):
        traced(method, request, ada, trace)
    assert [event.method for event in newest(direct, ada, trace)] == [name] * 5


def test_overviews_leave_theirs_whoever_answered(gateway, direct, ada):
    traces = [Trace() for _ in range(3)]
    for trace in traces:
        traced(gateway.GetPatientOverview, GetPatientOverviewRequest(), ada, trace)
    first, *others = [sorted(event.method for event in newest(direct, ada, trace)) for trace in traces]
    assert first == ["GetLatestObservations", "GetPatientOverview", "GetProfile", "ListSessions"]
    assert others == [["GetPatientOverview"]] * 2


def test_what_an_assistant_reads_is_there_with_its_purpose(cluster, front, direct, ada):
    from client.doors import contexts_of

    session = ada.calls(front.chat.CreateSession, CreateSessionRequest(title="Pulse")).session
    trace = Trace()
    wish = BuildContextRequest(session_id=session.id, query="pulse", token_budget=500)
    traced(contexts_of(cluster).BuildContext, wish, ada, trace, ("heartguard-purpose", "TREAT"))

    events = newest(direct, ada, trace)
    assert sorted(event.method for event in events) == ["BuildContext", "ListMessages", "SearchMemories"]
    assert {event.purpose for event in events} == {"TREAT"}
    assert {event.resource_id for event in events if event.method != "SearchMemories"} == {session.id}
    assert {event.outcome for event in events} == {SUCCEEDED}


def test_a_stream_leaves_one_event_as_it_begins(door, direct, ada):
    trace = Trace()
    stream = door.live.Subscribe(SubscribeRequest(), metadata=ada.metadata + trace.metadata, timeout=PATIENCE)
    next(stream)
    assert [(event.method, event.outcome) for event in newest(direct, ada, trace)] == [("Subscribe", BEGUN)]
    stream.cancel()
    assert len(newest(direct, ada, trace)) == 1


def test_a_purpose_is_one_that_is_known(door, json_door, direct, ada):
    trace = Trace()
    traced(door.users.GetProfile, GetProfileRequest(), ada, trace, ("heartguard-purpose", "FAMRQT"))
    for method, request in (
        (door.users.GetProfile, GetProfileRequest()),
        (door.users.UpdateProfile, UpdateProfileRequest(name="Ada King")),
    ):
        with refused("INVALID_ARGUMENT") as refusal:
            traced(method, request, ada, trace, ("heartguard-purpose", "fun"))
        assert "PATRQT" in refusal.message
    headers = {"heartguard-purpose": "ETREAT", "traceparent": trace.metadata[0][1]}
    assert json_door.request("GET", "/v1/profile", person=ada, headers=headers).status_code == 200

    events = newest(direct, ada, trace)[::-1]
    assert [event.purpose for event in events] == ["FAMRQT", "PATRQT", "PATRQT", "ETREAT"]
    assert [event.outcome for event in events] == [SUCCEEDED, FAILED, FAILED, SUCCEEDED]
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user.name == "Ada Lovelace"


def test_what_is_denied_is_there(door, direct, ada, bob):
    trace = Trace()
    with refused("PERMISSION_DENIED"):
        traced(door.users.EraseUser, EraseUserRequest(user_id=bob.user.id), ada, trace)
    old = log_in(direct.users, ada.email, ada.password)
    old.calls(direct.users.LogOut, LogOutRequest())
    with refused("UNAUTHENTICATED"):
        traced(door.users.GetProfile, GetProfileRequest(), old, trace)

    (denied,) = newest(direct, ada, trace)
    assert (denied.method, denied.outcome, denied.status) == ("GetProfile", DENIED, "UNAUTHENTICATED")
    # whose records they would have been sees it, and who it was
    shown = [event for event in listed(direct, bob) if event.trace_id == trace.id]
    assert [(event.method, event.outcome, event.actor_id) for event in shown] == [("EraseUser", DENIED, ada.user.id)]
    assert shown[0].actor_kind == access_log.ACTOR_KIND_USER


def test_what_is_denied_by_json_is_there_for_whom_its_path_names(json_door, direct, ada, bob):
    trace = Trace()
    # a session of its own, of which no such denial is on record yet
    caller = log_in(direct.users, ada.email, ada.password)
    appointment = str(uuid.uuid4())
    for path in ("erasures", f"appointments/{appointment}/noShow"):
        headers = {"traceparent": trace.metadata[0][1]}
        json_door.refuses(403, "PERMISSION_DENIED", "POST", f"/v1/users/{bob.user.id}/{path}", person=caller, headers=headers, json={})

    shown = newest(direct, bob, trace)
    assert [(event.method, event.outcome, event.actor_id, event.resource_id) for event in shown] == [
        ("MarkNoShow", DENIED, ada.user.id, appointment),
        ("EraseUser", DENIED, ada.user.id, ""),
    ]


def test_what_is_denied_again_and_again_is_one_event_a_minute(door, direct, ada):
    trace = Trace()
    old = log_in(direct.users, ada.email, ada.password)
    old.calls(direct.users.LogOut, LogOutRequest())
    started = time.monotonic()
    for _ in range(200):
        with refused("UNAUTHENTICATED"):
            traced(door.users.GetProfile, GetProfileRequest(), old, trace)
    minutes = int((time.monotonic() - started) // 60) + 2
    assert 1 <= len(newest(direct, ada, trace)) <= minutes
    with refused("UNAUTHENTICATED"):
        traced(door.users.UpdateProfile, UpdateProfileRequest(name="Eve"), old, trace)
    assert newest(direct, ada, trace)[0].method == "UpdateProfile"


def test_who_signs_in_and_who_tries_to_is_there(door, direct, ada):
    trace = Trace()
    for password in ("wrong password!", ada.password):
        request = LogInRequest(email=ada.email, password=password)
        try:
            door.users.LogIn(request, metadata=trace.metadata, timeout=PATIENCE)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    events = newest(direct, ada, trace)[::-1]
    assert [(event.method, event.outcome) for event in events] == [("LogIn", DENIED), ("LogIn", SUCCEEDED)]
    assert {(event.actor_kind, event.actor_id) for event in events} == {(access_log.ACTOR_KIND_ANYONE, "")}
    assert {event.action for event in events} == {SECURITY}


def test_what_an_operator_makes_of_somebody_is_there_however_they_were_named(door, direct, operator):
    person = register(direct.users)
    trace = Trace()
    for request in (
        roles.AssignRoleRequest(email=person.email, role=roles.ACCOUNT_ROLE_CLINICIAN),
        roles.AssignRoleRequest(user_id=person.user.id, role=roles.ACCOUNT_ROLE_USER),
    ):
        traced(door.roles.AssignRole, request, operator, trace)
    person = log_in(direct.users, person.email, person.password)
    events = newest(direct, person, trace)
    assert [(event.method, event.outcome, event.action) for event in events] == [("AssignRole", BEGUN, SECURITY)] * 2
    assert {(event.actor_kind, event.actor_id) for event in events} == {(access_log.ACTOR_KIND_OPERATOR, operator.user.id)}


def test_the_list_is_the_callers_own_and_says_nothing_of_what_was_said(door, direct, ada, bob):
    word = f"canary{secrets.token_hex(8)}"
    session = ada.calls(door.chat.CreateSession, CreateSessionRequest(title=word)).session
    ada.calls(door.chat.GetSession, GetSessionRequest(session_id=session.id))
    ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name=word))
    ada.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=[heart_rate(1)]))
    with refused("INVALID_ARGUMENT"):
        ada.calls(door.chat.GetSession, GetSessionRequest(session_id=word))

    mine, theirs = listed(direct, ada), listed(direct, bob)
    assert [event.method for event in mine[::-1]][:1] == ["Register"]
    assert {"CreateSession", "GetSession", "UpdateProfile", "RecordObservations"} <= {event.method for event in mine}
    assert word not in str(mine)
    assert {event.actor_id for event in theirs} <= {bob.user.id, ""}
    assert not {event.trace_id for event in mine} & {event.trace_id for event in theirs}
    (read,) = [event for event in mine if event.method == "GetSession" and event.outcome == SUCCEEDED]
    assert read.resource_id == session.id
    assert read.description == "chat: get session"


def test_the_list_goes_page_by_page_and_is_filtered(door, ada):
    for _ in range(7):
        ada.calls(door.users.GetProfile, GetProfileRequest())
    ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name="Ada King"))
    everything = listed(door, ada)
    before = everything[0].occurred_at
    assert [event.occurred_at.ToNanoseconds() for event in everything] == sorted(
        (event.occurred_at.ToNanoseconds() for event in everything), reverse=True
    )

    pages, token = [], ""
    while True:
        request = access_log.ListAccessEventsRequest(page_size=3, page_token=token, end_time=before)
        page = ada.calls(door.access_log.ListAccessEvents, request)
        pages.append(list(page.events))
        token = page.next_page_token
        if not token:
            break
    assert sum(pages, []) == everything[1:]
    assert all(len(page) == 3 for page in pages[:-1])
    written = listed(door, ada, action=WRITE)
    assert [event.method for event in written] == ["UpdateProfile"]
    since = listed(door, ada, action=READ, start_time=written[0].occurred_at)
    # reading the list is on record too
    assert {event.method for event in since} == {"ListAccessEvents"}
    assert len(listed(door, ada)) > len(everything)


def test_a_question_that_makes_no_sense_is_refused_by_its_fields(door, ada):
    def ask(**fields):
        return ada.calls(door.access_log.ListAccessEvents, access_log.ListAccessEventsRequest(**fields))

    now = timestamp_pb2.Timestamp()
    now.FromDatetime(datetime.datetime(2026, 11, 29))
    with invalid("page_size", "action"):
        ask(page_size=-1, action=99)
    with invalid("end_time"):
        ask(start_time=now, end_time=now)
    with invalid("page_token"):
        ask(page_token="x")
    ada.calls(door.users.GetProfile, GetProfileRequest())
    token = ask(page_size=1).next_page_token
    with invalid("page_token"):
        ask(page_token=token, action=READ)


def test_json_has_it(json_door, ada):
    json_door.request("GET", "/v1/profile", person=ada)
    seen = json_door.answers(access_log.ListAccessEventsResponse, "GET", "/v1/access-events?page_size=1", person=ada)
    assert [event.method for event in seen.events] == ["GetProfile"]


@pytest.mark.parametrize("program", ["users", "vitals", "chat", "vectors"])
def test_only_the_gateway_has_events_put_on_record(cluster, ada, program):
    request = intake_service_pb2.RecordAccessRequest(user_id=ada.user.id)
    for showing, code in (("gateway", "INVALID_ARGUMENT"), ("vitals", "PERMISSION_DENIED"), (None, "UNAUTHENTICATED")):
        channel = cluster.new_channel(program, showing)
        with refused(code):
            intake_service_pb2_grpc.AuditIntakeServiceStub(channel).RecordAccess(request, timeout=PATIENCE)
        channel.close()
    with refused("UNIMPLEMENTED"):
        stub = intake_service_pb2_grpc.AuditIntakeServiceStub(cluster.channel("gateway"))
        stub.RecordAccess(request, metadata=people.bearing("x"), timeout=PATIENCE)
