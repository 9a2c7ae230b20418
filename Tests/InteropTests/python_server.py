"""grpc.testing.TestService as grpcio serves it, after gRPC's description."""

import contextlib
import pathlib
import time
from concurrent import futures

import grpc
from interop_proto import empty_pb2, messages_pb2, test_pb2_grpc

ECHO_INITIAL, ECHO_TRAILING = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"


class TestService(test_pb2_grpc.TestServiceServicer):
    __test__ = False  # pytest would take it for a test

    def EmptyCall(self, request, context):
        return empty_pb2.Empty()

    def UnaryCall(self, request, context):
        self._echo(context)
        self._end(request, context)
        if request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        return messages_pb2.SimpleResponse(payload=zeros(request.response_size))

    def CacheableUnaryCall(self, request, context):
        context.send_initial_metadata((("cache-control", "max-age=60, public"),))
        return messages_pb2.SimpleResponse(payload=messages_pb2.Payload(body=str(time.time_ns()).encode()))

    def StreamingOutputCall(self, request, context):
        if any(wanted.compressed.value for wanted in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        yield from self._answers(request, context)

    def StreamingInputCall(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return messages_pb2.StreamingInputCallResponse(aggregated_payload_size=size)

    def FullDuplexCall(self, requests, context):
        self._echo(context)
        for request in requests:
            yield from self._answers(request, context)

    def HalfDuplexCall(self, requests, context):
        for request in list(requests):
            yield from self._answers(request, context)

    def _answers(self, request, context):
        self._end(request, context)
        for wanted in request.response_parameters:
            time.sleep(wanted.interval_us / 1_000_000)
            if not wanted.compressed.value:
                context.disable_next_message_compression()
            yield messages_pb2.StreamingOutputCallResponse(payload=zeros(wanted.size))

    def _echo(self, context):
        metadata = dict(context.invocation_metadata())
        if ECHO_INITIAL in metadata:
            context.send_initial_metadata(((ECHO_INITIAL, metadata[ECHO_INITIAL]),))
        if ECHO_TRAILING in metadata:
            context.set_trailing_metadata(((ECHO_TRAILING, metadata[ECHO_TRAILING]),))

    def _end(self, request, context):
        if request.HasField("response_status"):
            (code,) = (code for code in grpc.StatusCode if code.value[0] == request.response_status.code)
            context.abort(code, request.response_status.message)


def zeros(size: int) -> messages_pb2.Payload:
    return messages_pb2.Payload(body=bytes(size))


@contextlib.contextmanager
def python_server(certificates):
    """Serves on a port that the system chose, which it yields."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    # what it does not define, the generated class answers with UNIMPLEMENTED
    test_pb2_grpc.add_TestServiceServicer_to_server(TestService(), server)
    if certificates is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = tuple(pathlib.Path(path).read_bytes() for path in (certificates.key, certificates.certificate))
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=None).wait()
