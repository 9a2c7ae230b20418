#!/usr/bin/env python3
"""PyPI grpcio's part in `make bench-rpc`: hands back the bytes of a request without reading them.

Usage: server.py PORT      Listens on 127.0.0.1 until it is killed.
"""
import concurrent.futures, sys

import grpc

MESSAGES_PER_STREAM = 1000


def unary_call(request, context):
    return request


def streaming_from_server(request, context):
    for _ in range(MESSAGES_PER_STREAM):
        yield request


def main():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("grpc.testing.BenchmarkService", {
        "UnaryCall": grpc.unary_unary_rpc_method_handler(unary_call),
        "StreamingFromServer": grpc.unary_stream_rpc_method_handler(streaming_from_server),
    }),))
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()


main()
