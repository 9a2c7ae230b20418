"""PyPI's grpcio as the client of our server, after gRPC's description."""

import threading

import grpc
import pytest
from interop_proto import empty_pb2, messages_pb2, test_pb2_grpc
from messages_of import LARGE, REQUEST_SIZES, RESPONSE_SIZES, asking_for, carrying
from python_server import ECHO_INITIAL, ECHO_TRAILING

PATIENCE = 60
BIN = b"\xab\xab\xab"


@pytest.fixture(scope="module")
def channel(ours):
    with ours.channel() as channel:
        yield channel


@pytest.fixture
def service(channel):
    return test_pb2_grpc.TestServiceStub(channel)


def compressed(value: bool) -> messages_pb2.BoolValue:
    return messages_pb2.BoolValue(value=value)


def test_empty_unary(service):
    assert service.EmptyCall(empty_pb2.Empty(), timeout=PATIENCE) == empty_pb2.Empty()


def test_large_unary(service):
    assert service.UnaryCall(LARGE, timeout=PATIENCE).payload.body == bytes(314_159)


def test_cacheable_unary(service):
    request = messages_pb2.SimpleRequest(payload=messages_pb2.Payload(body=b"now"))
    answer, call = service.CacheableUnaryCall.with_call(request, timeout=PATIENCE)
    assert dict(call.initial_metadata())["cache-control"] == "max-age=60, public"
    assert answer.payload.body.isdigit()
    assert service.CacheableUnaryCall(request, timeout=PATIENCE) != answer


def test_client_compressed_unary(service):
    request = messages_pb2.SimpleRequest()
    request.CopyFrom(LARGE)
    request.expect_compressed.value = True
    with pytest.raises(grpc.RpcError) as refusal:
        service.UnaryCall(request, timeout=PATIENCE)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT

    answer = service.UnaryCall(request, timeout=PATIENCE, compression=grpc.Compression.Gzip)
    assert answer.payload.body == bytes(314_159)

    request.expect_compressed.value = False
    assert service.UnaryCall(request, timeout=PATIENCE).payload.body == bytes(314_159)


def test_an_encoding_that_our_server_does_not_read(service):
    with pytest.raises(grpc.RpcError) as refusal:
        service.UnaryCall(LARGE, timeout=PATIENCE, compression=grpc.Compression.Deflate)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "identity,gzip" in refusal.value.details()


@pytest.mark.parametrize("value", [True, False])
def test_server_compressed_unary(service, value):
    request = messages_pb2.SimpleRequest(response_compressed=compressed(value))
    request.MergeFrom(LARGE)
    assert service.UnaryCall(request, timeout=PATIENCE).payload.body == bytes(314_159)


def test_client_streaming(service):
    requests = (messages_pb2.StreamingInputCallRequest(payload=carrying(size)) for size in REQUEST_SIZES)
    assert service.StreamingInputCall(requests, timeout=PATIENCE).aggregated_payload_size == 74_922


def test_client_compressed_streaming(service):
    def requests():
        for size in REQUEST_SIZES[:2]:
            yield messages_pb2.StreamingInputCallRequest(payload=carrying(size * 10), expect_compressed=compressed(True))

    with pytest.raises(grpc.RpcError) as refusal:
        service.StreamingInputCall(requests(), timeout=PATIENCE)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    answer = service.StreamingInputCall(requests(), timeout=PATIENCE, compression=grpc.Compression.Gzip)
    assert answer.aggregated_payload_size == 10 * sum(REQUEST_SIZES[:2])


def test_server_streaming(service):
    answers = service.StreamingOutputCall(asking_for(*RESPONSE_SIZES), timeout=PATIENCE)
    assert [answer.payload.body for answer in answers] == [bytes(size) for size in RESPONSE_SIZES]


def test_server_compressed_streaming(service):
    request = asking_for(31_415, 92_653)
    for parameters, value in zip(request.response_parameters, (True, False)):
        parameters.compressed.value = value
    answers = service.StreamingOutputCall(request, timeout=PATIENCE)
    assert [answer.payload.body for answer in answers] == [bytes(31_415), bytes(92_653)]


def test_ping_pong(service):
    answered = threading.Semaphore(1)

    def requests():
        for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
            assert answered.acquire(timeout=PATIENCE)
            yield asking_for(response_size, payload=request_size)

    sizes = []
    for answer in service.FullDuplexCall(requests(), timeout=PATIENCE):
        sizes.append(len(answer.payload.body))
        answered.release()
    assert sizes == list(RESPONSE_SIZES)


def test_half_duplex(service):
    requests = (asking_for(size) for size in RESPONSE_SIZES)
    answers = service.HalfDuplexCall(requests, timeout=PATIENCE)
    assert [len(answer.payload.body) for answer in answers] == list(RESPONSE_SIZES)


def test_empty_stream(service):
    assert list(service.FullDuplexCall(iter(()), timeout=PATIENCE)) == []


def test_custom_metadata(service):
    metadata = ((ECHO_INITIAL, "test_initial_metadata_value"), (ECHO_TRAILING, BIN))
    _, call = service.UnaryCall.with_call(LARGE, timeout=PATIENCE, metadata=metadata)
    stream = service.FullDuplexCall(iter([asking_for(314_159)]), timeout=PATIENCE, metadata=metadata)
    assert [len(answer.payload.body) for answer in stream] == [314_159]
    for answered in (call, stream):
        assert dict(answered.initial_metadata())[ECHO_INITIAL] == "test_initial_metadata_value"
        assert dict(answered.trailing_metadata())[ECHO_TRAILING] == BIN


SPECIAL = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


@pytest.mark.parametrize("message", ["test status message", SPECIAL], ids=["status_code_and_message", "special"])
def test_status_code_and_message(service, message):
    status = messages_pb2.EchoStatus(code=2, message=message)
    request = messages_pb2.StreamingOutputCallRequest(response_status=status)
    for call in (
        lambda: service.UnaryCall(messages_pb2.SimpleRequest(response_status=status), timeout=PATIENCE),
        lambda: list(service.FullDuplexCall(iter([request]), timeout=PATIENCE)),
    ):
        with pytest.raises(grpc.RpcError) as refusal:
            call()
        assert refusal.value.code() == grpc.StatusCode.UNKNOWN
        assert refusal.value.details() == message


def test_unimplemented_method(service):
    with pytest.raises(grpc.RpcError) as refusal:
        service.UnimplementedCall(empty_pb2.Empty(), timeout=PATIENCE)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_unimplemented_service(channel):
    with pytest.raises(grpc.RpcError) as refusal:
        test_pb2_grpc.UnimplementedServiceStub(channel).UnimplementedCall(empty_pb2.Empty(), timeout=PATIENCE)
    assert refusal.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_cancel_after_begin(service):
    hold = threading.Event()
    call = service.StreamingInputCall.future(iter(hold.wait, None), timeout=PATIENCE)
    call.cancel()
    hold.set()
    assert call.cancelled()
    assert call.code() == grpc.StatusCode.CANCELLED


def test_cancel_after_first_response(service):
    hold = threading.Event()

    def requests():
        yield asking_for(31_415, payload=27_182)
        hold.wait(PATIENCE)

    call = service.FullDuplexCall(requests(), timeout=PATIENCE)
    assert len(next(call).payload.body) == 31_415
    call.cancel()
    with pytest.raises(grpc.RpcError):
        next(call)
    hold.set()
    assert call.code() == grpc.StatusCode.CANCELLED


def test_timeout_on_sleeping_server(service):
    hold = threading.Event()

    def requests():
        yield asking_for(payload=27_182)
        hold.wait(PATIENCE)

    call = service.FullDuplexCall(requests(), timeout=0.001)
    with pytest.raises(grpc.RpcError):
        next(call)
    hold.set()
    assert call.code() == grpc.StatusCode.DEADLINE_EXCEEDED


def test_soak(service):
    calls = [service.UnaryCall.future(LARGE, timeout=PATIENCE) for _ in range(40)]
    assert {len(call.result().payload.body) for call in calls} == {314_159}


def test_channel_soak(ours):
    for _ in range(10):
        with ours.channel() as channel:
            answer = test_pb2_grpc.TestServiceStub(channel).UnaryCall(LARGE, timeout=PATIENCE)
            assert len(answer.payload.body) == 314_159
