"""Calls one unary method by its name and prints the answer as JSON, or the status and its details."""

import argparse
import json
import os
import pathlib
import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.rpc import error_details_pb2  # noqa: F401  (registers the details that a status may carry)
from grpc_reflection.v1alpha import proto_reflection_descriptor_database
from grpc_status import rpc_status


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("method", help="package.Service/Method")
    parser.add_argument("request", nargs="?", default="{}", help="the request as JSON")
    parser.add_argument("-H", "--header", action="append", default=[], metavar="'NAME: VALUE'")
    parser.add_argument("--address", help="HOST:PORT; default: the cluster's Gateway")
    parser.add_argument("--cacert", help="default: the cluster's")
    parser.add_argument("--timeout", type=float, default=30.0)
    options = parser.parse_args()

    address, cacert = options.address, options.cacert
    if not (address and cacert):
        file = pathlib.Path(os.environ.get("HEARTGUARD_STATE", ".heartguard")) / "cluster.json"
        if not file.exists():
            print(f"{file} is not there. `make up` starts a cluster.", file=sys.stderr)
            return 2
        cluster = json.loads(file.read_text())
        address = address or f"{cluster['gateway']['host']}:{cluster['gateway']['grpc']}"
        cacert = cacert or cluster["tls"]["ca"]

    credentials = grpc.ssl_channel_credentials(pathlib.Path(cacert).read_bytes())
    metadata = [tuple(part.strip() for part in header.split(":", 1)) for header in options.header]
    service_name, _, method_name = options.method.rpartition("/")
    with grpc.secure_channel(address, credentials) as channel:
        contracts = proto_reflection_descriptor_database.ProtoReflectionDescriptorDatabase(channel)
        pool = descriptor_pool.DescriptorPool(contracts)
        try:
            method = pool.FindServiceByName(service_name).FindMethodByName(method_name)
        except KeyError:
            print(f"{address} knows no method {options.method}", file=sys.stderr)
            return 2
        request = message_factory.GetMessageClass(method.input_type)()
        json_format.Parse(options.request, request, descriptor_pool=pool)
        answer_type = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(
            f"/{service_name}/{method_name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer_type.FromString,
        )
        try:
            answer = call(request, metadata=metadata, timeout=options.timeout)
        except grpc.RpcError as error:
            print(f"{error.code().name}: {error.details()}", file=sys.stderr)
            status = rpc_status.from_call(error)
            if status is not None:
                print(json_format.MessageToJson(status), file=sys.stderr)
            return 1
    print(json_format.MessageToJson(answer, descriptor_pool=pool))
    return 0


if __name__ == "__main__":
    sys.exit(main())
