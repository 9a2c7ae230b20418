"""Every program is restarted, one after the other, under calls that nobody sees fail."""

import json
import pathlib
import time

import grpc
import pytest
from client import people
from client.cluster import EVERYWHERE, SERVICES
from heartguard.chat.v1 import chat_service_pb2_grpc
from heartguard.chat.v1.chat_service_pb2 import ListSessionsRequest
from heartguard.users.v1 import users_service_pb2_grpc
from heartguard.users.v1.users_service_pb2 import GetProfileRequest
from heartguard.vectors.v1 import vectors_service_pb2_grpc
from heartguard.vectors.v1.vectors_service_pb2 import ListCollectionsRequest
from heartguard.vitals.v1 import vitals_service_pb2_grpc
from heartguard.vitals.v1.vitals_service_pb2 import ListDevicesRequest
from load import Reader
from processes import pid_of, stop
from waiting import until

# Each pauses between its calls, which take time too; together that is about 500 calls a second.
CALLERS = 80
PAUSE = 0.1
# Calls wait for a service that is being restarted, so they may take as long as that.
PATIENCE = 30.0

# What gRPC's own client is told: to wait for a connection, and to make no call again that a server may have begun.
SERVICE_CONFIG = {"methodConfig": [{"name": [{}], "waitForReady": True}]}

QUESTIONS = {
    "users": (users_service_pb2_grpc.UsersServiceStub, "GetProfile", GetProfileRequest()),
    "vitals": (vitals_service_pb2_grpc.VitalsServiceStub, "ListDevices", ListDevicesRequest()),
    "chat": (chat_service_pb2_grpc.ChatServiceStub, "ListSessions", ListSessionsRequest()),
    "vectors": (vectors_service_pb2_grpc.VectorsServiceStub, "ListCollections", ListCollectionsRequest()),
}


@pytest.fixture
def channels(cluster):
    """A channel to each program, that waits for it."""
    trust = grpc.ssl_channel_credentials(pathlib.Path(cluster.authority).read_bytes())
    options = [
        ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 1000),
        ("grpc.max_reconnect_backoff_ms", 500),
        ("grpc.use_local_subchannel_pool", 1),
    ]
    made = {name: grpc.secure_channel(cluster.address(name), trust, options) for name in EVERYWHERE}
    yield made
    for channel in made.values():
        channel.close()


def caller(number: int, channels, person) -> Reader:
    """Asks one service about one person, every other caller through the Gateway."""
    service = SERVICES[number % len(SERVICES)]
    door = "gateway" if number // len(SERVICES) % 2 else service
    stub, name, request = QUESTIONS[service]
    method = getattr(stub(channels[door]), name)

    def ask():
        person.calls(method, request, timeout=PATIENCE)

    return Reader(f"{service} by way of {door}", ask, {service, door}, pace=PAUSE)


def test_a_rolling_restart_of_all_programs_fails_no_call(cluster, direct, channels):
    # a person for each, since everybody has a budget of calls at the Gateway
    crowd = [people.register(direct.users, name="Caller") for _ in range(CALLERS)]
    callers = [caller(number, channels, person) for number, person in enumerate(crowd)]

    def made() -> int:
        return sum(caller.answers for caller in callers)

    def everybody_goes_on() -> None:
        before = {caller: caller.answers for caller in callers}
        for caller, answers in before.items():
            until(lambda: caller.answers >= answers + 5 or caller.refusals or caller.faults, f"{caller.name} is answered")

    for each in callers:
        each.start()
    began = time.monotonic()
    try:
        everybody_goes_on()
        for name in EVERYWHERE:
            stopped = stop(cluster, name)
            until(lambda: pid_of(cluster, name) not in (None, stopped), f"{name} is started again")
            everybody_goes_on()
    finally:
        for each in callers:
            each.stop()
    elapsed = time.monotonic() - began

    print(f"{made()} calls in {elapsed:.1f} s, {made() / elapsed:.0f} a second")
    failures = [f"{each.name}: {r.code().name}: {r.details()}" for each in callers for r in each.refusals]
    assert failures + [fault for each in callers for fault in each.faults] == []
