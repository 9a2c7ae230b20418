"""Our client against our server, and against Python's."""

import re

import pytest

CASES = (
    "empty_unary",
    "large_unary",
    "server_compressed_unary",
    "client_streaming",
    "server_streaming",
    "server_compressed_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "client_compressed_unary_noprobe",
    "client_compressed_streaming_noprobe",
)

# grpcio's servers cannot tell whether a request came compressed
NOT_PYTHONS = ("client_compressed_unary", "client_compressed_streaming")

SOAK = ("--soak_iterations=40", "--soak_num_threads=4", "--soak_overall_timeout_seconds=60", "--soak_max_failures=0")
LATENCY = ("--soak_per_iteration_max_acceptable_latency_ms=30000",)


@pytest.mark.parametrize("case", (*CASES, *NOT_PYTHONS))
def test_with_our_server(ours, case):
    ours.run_our_client(case)


@pytest.mark.parametrize("case", CASES)
def test_with_pythons_server(pythons, case):
    pythons.run_our_client(case)


@pytest.mark.parametrize("case", ("rpc_soak", "channel_soak"))
def test_soaking_our_server(ours, case):
    said = ours.run_our_client(case, *SOAK, *LATENCY).splitlines()

    address = rf"127\.0\.0\.1:{ours.port}"
    line = re.compile(rf"soak iteration: (\d+) elapsed_ms: \d+ peer: {address} server_uri: {address} succeeded")
    iterations = [int(match[1]) for match in map(line.fullmatch, said) if match]
    assert sorted(iterations) == list(range(40)), said


@pytest.mark.parametrize("case", ("rpc_soak", "channel_soak"))
def test_soaking_pythons_server(pythons, case):
    pythons.run_our_client(case, *SOAK, *LATENCY)


def test_what_may_be_cached_is_cached_on_the_way(cached):
    cached.run_our_client("cacheable_unary")


def test_what_is_not_cached_differs(ours):
    with pytest.raises(AssertionError, match="should have come out of a cache"):
        ours.run_our_client("cacheable_unary")


def test_a_server_that_is_not_there_fails_the_test_with_a_sentence(ours):
    with pytest.raises(AssertionError, match="empty_unary: failed. UNAVAILABLE: The server cannot be reached"):
        type(ours)(1, None).run_our_client("empty_unary")


def test_a_certificate_of_another_name_is_not_taken(ours):
    if ours.certificates is None:
        ours.run_our_client("empty_unary", "--server_host_override=any.name.goes")
        return
    with pytest.raises(AssertionError, match="failed. UNAVAILABLE"):
        ours.run_our_client("empty_unary", "--server_host_override=another.name")


def test_flags_without_a_value_mean_true(ours):
    ours.run_our_client("empty_unary", *(["--use_tls"] if ours.certificates else ["--use_tls", "false"]))
    with pytest.raises(AssertionError, match="neither true nor false"):
        ours.run_our_client("empty_unary", "--use_tls=perhaps")


def test_a_service_config_is_kept_to(ours):
    no_time = '{"methodConfig": [{"name": [{}], "timeout": "0s"}]}'
    with pytest.raises(AssertionError, match="empty_unary: failed. DEADLINE_EXCEEDED"):
        ours.run_our_client("empty_unary", f"--service_config_json={no_time}")
    with pytest.raises(AssertionError, match="The service config is wrong at"):
        ours.run_our_client("empty_unary", "--service_config_json={")


def test_additional_metadata_is_sent(pythons):
    """Behind the test's own; Python's server sends the last value of a name back, which is not what the test sent."""
    with pytest.raises(AssertionError, match="x-grpc-test-echo-initial did not come back"):
        pythons.run_our_client("custom_metadata", "--additional_metadata=x-a:b:c;x-grpc-test-echo-initial:d")
