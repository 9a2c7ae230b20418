"""kill -9 of every program and every store in turn, while calls run."""

import grpc
import pytest
from client import people
from client.cluster import SERVICES
from client.people import PATIENCE
from client.refusals import refused
from heartguard.chat.v1.chat_service_pb2 import ListSessionsRequest
from heartguard.gateway.v1 import gateway_service_pb2
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.users.v1.users_service_pb2 import GetProfileRequest, LogInRequest, LogOutRequest
from processes import STORES, kill, nobody_restarting, paused, pid_of
from traffic import Traffic
from waiting import until

VICTIMS = (*SERVICES, "gateway", *STORES)


@pytest.fixture
def traffic(front, direct, gateway, operator):
    return Traffic(front, direct, gateway, operator)


@pytest.mark.parametrize("victim", VICTIMS)
def test_what_is_killed_comes_back_and_nothing_is_missing(cluster, traffic, victim):
    with traffic:
        with nobody_restarting(cluster):
            killed = kill(cluster, victim)
            before = {reader: reader.answers for reader in traffic.readers_without(victim)}
            for reader in traffic.readers_with(victim):
                until(lambda: reader.refusals, f"{reader.name} is refused")
            for reader, answers in before.items():
                until(lambda: reader.answers >= answers + 2, f"{reader.name} answers without {victim}")
        until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")
        traffic.goes_on()

    for reader in traffic.readers_without(victim):
        assert reader.refusals == [], f"{reader.name} needs no {victim}"
    for reader in traffic.readers_with(victim):
        codes = {refusal.code().name for refusal in reader.refusals}
        assert codes <= {"UNAVAILABLE", "DEADLINE_EXCEEDED"}, reader.name
    traffic.check_that_nothing_is_missing()
    for visitor in traffic.left:
        with refused("UNAUTHENTICATED"):
            visitor.calls(traffic.direct.users.GetProfile, GetProfileRequest())
        assert people.log_in(traffic.direct.users, visitor.email, visitor.password).user.id == visitor.user.id


@pytest.mark.parametrize("store", ["redis_cache", "redis_durable"])
def test_behind_a_redis_that_says_nothing_calls_go_on_and_nothing_is_missing(cluster, traffic, store):
    with traffic:
        with paused(cluster, store):
            before = {reader: reader.answers for reader in traffic.readers}
            for reader, answers in before.items():
                until(lambda: reader.answers >= answers + 10, f"{reader.name} answers while {store} says nothing")
        traffic.goes_on()

    for reader in traffic.readers:
        assert [refusal.code().name for refusal in reader.refusals] == [], f"{reader.name} needs no {store}"
    traffic.check_that_nothing_is_missing()
    # who logged out meanwhile was told UNAVAILABLE, and is let in again until Users has told Redis of it
    for visitor in traffic.left:
        until(lambda: is_signed_out(traffic.direct, visitor), "Redis is told who has logged out")


def is_signed_out(door, person) -> bool:
    try:
        person.calls(door.users.GetProfile, GetProfileRequest())
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.UNAUTHENTICATED, error
        return True
    return False


def overview(gateway, person, **options) -> dict[str, str]:
    """What the overview says of each of its parts."""
    seen = person.calls(gateway.GetPatientOverview, GetPatientOverviewRequest(), **options)
    return {part.service: gateway_service_pb2.PartState.Name(part.state) for part in seen.parts}


def everything_but(service: str | None = None, state: str | None = None) -> dict[str, str]:
    present = {name: "PART_STATE_PRESENT" for name in SERVICES}
    return present | ({service: state} if service else {})


@pytest.mark.parametrize("service", SERVICES)
def test_the_overview_marks_what_is_not_there(cluster, gateway, ada, service):
    with nobody_restarting(cluster):
        killed = kill(cluster, service)
        until(
            lambda: overview(gateway, ada) == everything_but(service, "PART_STATE_UNAVAILABLE"),
            f"the overview says that {service} is not there",
            every=0.2,
        )
    until(lambda: pid_of(cluster, service) not in (None, killed), f"{service} is started again")
    until(lambda: overview(gateway, ada) == everything_but(), f"the overview has {service} again", every=0.5)


@pytest.mark.parametrize("service", SERVICES)
def test_the_overview_marks_what_does_not_answer_in_time(cluster, gateway, ada, service):
    with paused(cluster, service):
        assert overview(gateway, ada, timeout=3) == everything_but(service, "PART_STATE_TIMED_OUT")


def test_without_the_cache_what_must_be_counted_is_refused(cluster, front, direct, ada):
    sign_in = LogInRequest(email=ada.email, password=ada.password)
    with nobody_restarting(cluster):
        killed = kill(cluster, "redis_cache")
        with refused("UNAVAILABLE") as refusal:
            front.users.LogIn(sign_in, timeout=PATIENCE)
        assert refusal.retry_seconds is not None
        ada.calls(front.users.GetProfile, GetProfileRequest())
        direct.users.LogIn(sign_in, timeout=PATIENCE)
    until(lambda: pid_of(cluster, "redis_cache") not in (None, killed), "the cache is started again")
    until(lambda: answers(lambda: front.users.LogIn(sign_in, timeout=PATIENCE)), "signing in works again")


def test_a_cache_that_says_nothing_holds_nobody_up(cluster, front, ada):
    sign_in = LogInRequest(email=ada.email, password=ada.password)
    with paused(cluster, "redis_cache"):
        with refused("UNAVAILABLE") as refusal:
            front.users.LogIn(sign_in, timeout=PATIENCE)
        assert refusal.retry_seconds is not None
        for _ in range(20):
            ada.calls(front.users.GetProfile, GetProfileRequest())
    until(lambda: answers(lambda: front.users.LogIn(sign_in, timeout=PATIENCE)), "signing in works again")


def test_a_durable_store_that_says_nothing_holds_nobody_up(cluster, front, ada):
    sign_in = LogInRequest(email=ada.email, password=ada.password)
    with paused(cluster, "redis_durable"):
        for _ in range(5):
            front.users.LogIn(sign_in, timeout=PATIENCE)
            ada.calls(front.users.GetProfile, GetProfileRequest())


def test_without_the_blocklist_the_record_says_whose_session_has_ended(cluster, front, direct, gateway):
    ada, bob = (people.register(direct.users) for _ in range(2))
    bob.calls(direct.users.LogOut, LogOutRequest())
    with nobody_restarting(cluster):
        killed = kill(cluster, "redis_durable")
        for door in (front, direct):
            for _ in range(5):
                ada.calls(door.users.GetProfile, GetProfileRequest())
                ada.calls(door.chat.ListSessions, ListSessionsRequest())
                with refused("UNAUTHENTICATED"):
                    bob.calls(door.users.GetProfile, GetProfileRequest())
                with refused("UNAUTHENTICATED"):
                    bob.calls(door.chat.ListSessions, ListSessionsRequest())
        with refused("UNAUTHENTICATED"):
            bob.calls(gateway.GetPatientOverview, GetPatientOverviewRequest())
        with refused("UNAVAILABLE"):
            ada.calls(direct.users.LogOut, LogOutRequest())
        # on record all the same, which is what is asked now
        with refused("UNAUTHENTICATED"):
            ada.calls(front.users.GetProfile, GetProfileRequest())
    until(lambda: pid_of(cluster, "redis_durable") not in (None, killed), "the blocklist is started again")
    for person in (ada, bob):
        for door in (front, direct):
            with refused("UNAUTHENTICATED"):
                person.calls(door.users.GetProfile, GetProfileRequest())


def answers(call) -> bool:
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED), error
        return False
    return True
