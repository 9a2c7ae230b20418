"""How much a caller may ask for of the Gateway."""

import http.client
import json

import grpc
import pytest
from client import methods
from client.people import PATIENCE
from client.refusals import refused
from heartguard.users.v1.users_service_pb2 import GetProfileRequest

# Beyond this many cost units the budget is not meant to be used up by a test.
LARGEST_BUDGET = 5_000


def budget_of(front, person) -> int:
    _, call = front.users.GetProfile.with_call(GetProfileRequest(), metadata=person.metadata, timeout=PATIENCE)
    told = dict(call.initial_metadata())
    limit, remaining = int(told["ratelimit-limit"]), int(told["ratelimit-remaining"])
    assert 0 <= remaining < limit
    assert int(told["ratelimit-reset"]) > 0
    return limit


def test_too_many_calls_are_refused_with_a_time_to_try_again(front, direct, ada, bob):
    limit = budget_of(front, ada)
    if limit > LARGEST_BUDGET:
        pytest.skip(f"HEARTGUARD_RATE_LIMIT_USER is {limit}")
    # an empty batch costs five and is refused for what it is, until it is refused for being one too many
    stub = methods.named("VitalsService.RecordObservations").bytes_stub(front.channel("vitals"))
    calls = 0
    with refused("RESOURCE_EXHAUSTED") as refusal:
        while calls <= limit:
            calls += 1
            try:
                stub(b"", metadata=ada.metadata, timeout=PATIENCE)
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.INVALID_ARGUMENT:
                    raise
    assert calls > limit // 5 - 5
    assert refusal.retry_seconds > 0
    assert refusal.exhausted == {"user"}

    # everybody has a budget of their own, and the services' own ports have none
    bob.calls(front.users.GetProfile, GetProfileRequest())
    ada.calls(direct.users.GetProfile, GetProfileRequest())


def test_who_has_no_token_is_counted_by_address(cluster, json_door):
    # the whole of 127.0.0.0/8 is this machine, so the test can come from an address that nobody else uses
    connection = http.client.HTTPSConnection(
        *cluster.json_address, context=cluster.tls_context(), timeout=PATIENCE, source_address=("127.0.55.1", 0)
    )

    def try_to_sign_in():
        connection.request("POST", "/v1/sessions", body=b"{}", headers={"content-type": "application/json"})
        response = connection.getresponse()
        return response, json.loads(response.read())

    response, _ = try_to_sign_in()
    limit = int(response.headers["ratelimit-limit"])
    if limit > LARGEST_BUDGET:
        pytest.skip(f"HEARTGUARD_RATE_LIMIT_ANONYMOUS is {limit}")
    calls = 1
    while response.status == 400 and calls <= limit:
        response, body = try_to_sign_in()
        calls += 1
    assert response.status == 429
    assert int(response.headers["retry-after"]) >= 1
    assert body["error"]["status"] == "RESOURCE_EXHAUSTED"
    retry, quota = body["error"]["details"]
    assert retry["@type"] == "type.googleapis.com/google.rpc.RetryInfo"
    assert quota["@type"] == "type.googleapis.com/google.rpc.QuotaFailure"
    assert [violation["subject"] for violation in quota["violations"]] == ["address"]
    connection.close()

    json_door.refuses(400, "INVALID_ARGUMENT", "POST", "/v1/sessions", json={})
