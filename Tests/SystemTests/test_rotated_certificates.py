"""The private authority is replaced while calls go on. (By its name this file is the last: the other tests' channels trust
the authority that is replaced here.)"""

import os
import socket
import subprocess

import grpc
import pytest
from client.cluster import EVERYWHERE
from client.metrics import asked_of
from client.people import PATIENCE
from client.refusals import refused
from heartguard.telemetry.v1 import telemetry_service_pb2 as telemetry
from heartguard.telemetry.v1 import telemetry_service_pb2_grpc
from heartguard.users.v1.users_service_pb2 import GetProfileRequest
from load import Reader
from processes import pid_of
from waiting import until


@pytest.fixture
def shown_before(cluster) -> dict[str, grpc.Channel]:
    """A connection to each program that showed the Gateway's certificate before it was replaced."""
    channels = {program: cluster.new_channel(program, showing="gateway") for program in EVERYWHERE}
    for channel in channels.values():
        ask(channel)
    return channels


def ask(channel: grpc.Channel):
    stub = telemetry_service_pb2_grpc.TelemetryServiceStub(channel)
    return stub.ListMethodMetrics(telemetry.ListMethodMetricsRequest(), timeout=PATIENCE)


def test_the_authority_is_replaced_and_no_call_fails(cluster, front, direct, reader, shown_before):
    processes = {program: pid_of(cluster, program) for program in EVERYWHERE}
    authority = cluster.authority_bytes()
    readers = [
        Reader(name, lambda door=door: reader.calls(door.users.GetProfile, GetProfileRequest()), set(), pace=0.02)
        for name, door in (("through the Gateway", front), ("at its own port", direct))
    ]
    for loop in readers:
        loop.start()
    command = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")
    rotate = [command, "certificates", "rotate", "--state-dir", cluster.state, "--pause", "2"]
    subprocess.run(rotate, check=True, capture_output=True, timeout=120)
    answered = [loop.answers for loop in readers]
    for loop, answers in zip(readers, answered, strict=True):
        until(lambda loop=loop, answers=answers: loop.answers >= answers + 20, f"{loop.name} goes on")
    for loop in readers:
        loop.stop()
        assert loop.faults == []
        assert [refusal.details() for refusal in loop.refusals] == []

    assert cluster.authority_bytes() != authority
    assert {program: pid_of(cluster, program) for program in EVERYWHERE} == processes
    for program in EVERYWHERE:
        with refused("UNAVAILABLE"):
            ask(shown_before[program])
        assert asked_of(cluster, program).methods
        strangers = grpc.ssl_channel_credentials(authority)
        with grpc.secure_channel(cluster.address(program), strangers) as channel, refused("UNAVAILABLE"):
            ask(channel)
    # the JSON door has a server of its own
    with socket.create_connection(cluster.json_address, timeout=PATIENCE) as connection:
        with cluster.tls_context().wrap_socket(connection, server_hostname="localhost") as door:
            assert door.version() in ("TLSv1.3", "TLSv1.2")
