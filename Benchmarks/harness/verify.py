#!/usr/bin/env python3
"""Asks a server of the RPC benchmark with grpcio, which shares no code with what is measured, whether it answers right:
status, number of messages and every byte. A server that reads contracts answers with field 1, others with the same bytes.

Usage: verify.py PORT raw|contracts
"""
import sys

import grpc

SERVICE = "/grpc.testing.BenchmarkService/"


def varint(number):
    parts = bytearray()
    while number > 0x7f:
        parts.append(number & 0x7f | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


def message(field, payload_bytes):
    """SimpleRequest has its payload in field 3, SimpleResponse in field 1; a payload its bytes in field 2."""
    payload = b"\x12" + varint(payload_bytes) + b"x" * payload_bytes
    return bytes([field << 3 | 2]) + varint(len(payload)) + payload


def main():
    port, reads_contracts = sys.argv[1], sys.argv[2] == "contracts"
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        for size in (100, 100_000, 1_000_000):
            expected = message(1 if reads_contracts else 3, size)
            assert channel.unary_unary(SERVICE + "UnaryCall")(message(3, size), timeout=10) == expected, size
        answers = list(channel.unary_stream(SERVICE + "StreamingFromServer")(message(3, 100), timeout=10))
        assert answers == [message(1 if reads_contracts else 3, 100)] * 1000, len(answers)
        try:
            channel.unary_unary(SERVICE + "NoSuchMethod")(b"", timeout=10)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error
        else:
            raise AssertionError("a method that does not exist was answered")


if __name__ == "__main__":
    main()
