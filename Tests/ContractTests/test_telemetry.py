"""What programs of the cluster tell each other, and only each other: who may ask, and what is counted and logged."""

import json
import secrets
import subprocess

import grpc
import pytest
from client import methods
from client.cluster import EVERYWHERE
from client.metrics import asked_of
from client.people import PATIENCE, bearing
from client.refusals import refused
from heartguard.users.v1.users_service_pb2 import GetProfileRequest


@pytest.fixture(params=EVERYWHERE)
def program(request):
    return request.param


def ask(channel: grpc.Channel, method, metadata=None):
    return method.bytes_stub(channel)(b"", metadata=metadata, timeout=PATIENCE)


def counted(cluster, program: str) -> dict[tuple[str, str], int]:
    return {(each.method, each.status): each.durations.count for each in asked_of(cluster, program).methods}


def logged(cluster, program: str, word: str) -> list[dict]:
    """The lines of a program's log that hold the word."""
    lines = (cluster.logs / f"{program}.log").read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if word in line]


def test_every_method_between_services_names_who_may_call_it():
    for method in methods.between_services("users"):
        assert method.access == "ACCESS_SERVICE"
        assert list(method.policy.callers) == ["gateway"]


def test_a_service_that_the_policy_names_is_answered(cluster, program):
    for method in methods.between_services(program):
        with cluster.new_channel(program, showing="gateway") as channel:
            assert ask(channel, method).methods


@pytest.mark.parametrize("showing", ["client", "chat"])
def test_a_service_that_the_policy_does_not_name_is_refused(cluster, program, showing):
    for method in methods.between_services(program):
        with cluster.new_channel(program, showing=showing) as channel, refused("PERMISSION_DENIED") as refusal:
            ask(channel, method)
        assert showing in refusal.message


def test_without_a_certificate_nobody_is_answered_whatever_the_token(cluster, program, operator):
    for method in methods.between_services(program):
        for metadata in (None, operator.metadata):
            with refused("UNAUTHENTICATED"):
                ask(cluster.channel(program), method, metadata)


def test_the_certificate_of_a_stranger_is_not_let_in(cluster, program, tmp_path):
    """Signed by itself, whatever it calls itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
        + ["-subj", "/CN=gateway", "-addext", "subjectAltName=URI:spiffe://heartguard/gateway"]
        + ["-keyout", tmp_path / "key", "-out", tmp_path / "certificate"],
        check=True,
        capture_output=True,
    )
    shown = ((tmp_path / file).read_bytes() for file in ("key", "certificate"))
    credentials = grpc.ssl_channel_credentials(cluster.authority_bytes(), *shown)
    for method in methods.between_services(program):
        with grpc.secure_channel(cluster.address(program), credentials) as channel, refused("UNAVAILABLE"):
            ask(channel, method)


def test_people_need_no_certificate_and_may_show_one(cluster, reader):
    for showing in (None, "client"):
        with cluster.new_channel("users", showing=showing) as channel:
            profile = ask(channel, methods.named("UsersService.GetProfile"), reader.metadata)
            assert profile.user.id == reader.user.id


def test_calls_are_counted_by_method_and_status(cluster, direct, reader):
    path = "heartguard.users.v1.UsersService/GetProfile"
    before = counted(cluster, "users")
    direct.users.GetProfile(GetProfileRequest(), metadata=reader.metadata, timeout=PATIENCE)
    with refused("UNAUTHENTICATED"):
        direct.users.GetProfile(GetProfileRequest(), metadata=bearing("garbage"), timeout=PATIENCE)
    unknown = cluster.channel("users").unary_unary(f"/heartguard.users.v1.UsersService/No{secrets.token_hex(4)}")
    with refused("UNIMPLEMENTED"):
        unknown(b"", timeout=PATIENCE)
    after = counted(cluster, "users")
    for status in ("OK", "UNAUTHENTICATED"):
        assert after[path, status] == before.get((path, status), 0) + 1
    assert after["_OTHER", "UNIMPLEMENTED"] == before.get(("_OTHER", "UNIMPLEMENTED"), 0) + 1
    assert all(method == "_OTHER" or "/" in method for method, _ in after)


def test_one_trace_reaches_every_log_from_either_door(cluster, front, json_door):
    for door in ("gRPC", "JSON"):
        trace = secrets.token_hex(16)
        header = f"00-{trace}-{secrets.token_hex(8)}-01"
        if door == "gRPC":
            with refused("UNAUTHENTICATED"):
                front.users.GetProfile(
                    GetProfileRequest(), metadata=[("traceparent", header), *bearing("garbage")], timeout=PATIENCE
                )
        else:
            headers = {"traceparent": header, "authorization": "Bearer garbage"}
            assert json_door.request("GET", "/v1/profile", headers=headers).status_code == 401
        (line,) = logged(cluster, "gateway", trace)
        assert line["message"] == "call failed"
        assert line["code"] == "UNAUTHENTICATED"
        assert line["trace_id"] == trace
        assert line["method"] == "/heartguard.users.v1.UsersService/GetProfile"


def test_a_call_to_no_method_has_its_trace_in_the_log(cluster):
    trace = secrets.token_hex(16)
    unknown = cluster.channel("users").unary_unary(f"/heartguard.users.v1.UsersService/No{secrets.token_hex(4)}")
    with refused("UNIMPLEMENTED"):
        unknown(b"", metadata=[("traceparent", f"00-{trace}-{secrets.token_hex(8)}-01")], timeout=PATIENCE)
    (line,) = logged(cluster, "users", trace)
    assert (line["method"], line["code"]) == ("_OTHER", "UNIMPLEMENTED")


def test_a_failure_behind_the_gateway_has_one_trace_in_both_logs(cluster, front, operator):
    """Vectors refuses what the Gateway lets through; the caller sends no trace, so the Gateway begins one."""
    trace = secrets.token_hex(16)
    metadata = [("traceparent", f"00-{trace}-{secrets.token_hex(8)}-00"), *operator.metadata]
    search = methods.named("VectorsService.Search")
    with refused("INVALID_ARGUMENT"):
        ask(front.channel("vectors"), search, metadata)
    lines = [line for program in ("gateway", "vectors") for line in logged(cluster, program, trace)]
    assert [line["code"] for line in lines] == ["INVALID_ARGUMENT", "INVALID_ARGUMENT"]
    assert len({line["request_id"] for line in lines}) == 1
