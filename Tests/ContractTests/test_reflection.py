"""grpc.reflection.v1, as PyPI's grpcio-reflection asks for it: what is told is what stands in proto/."""

import pytest
from client import methods
from client.cluster import EVERYWHERE
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from heartguard.policy.v1 import policy_pb2


class SpeaksV1:
    """PyPI's client asks for v1alpha, whose messages are those of v1, which the programs speak."""

    def __init__(self, channel):
        self._channel = channel

    def stream_stream(self, method, *arguments, **keywords):
        return self._channel.stream_stream(method.replace(".v1alpha.", ".v1."), *arguments, **keywords)


@pytest.fixture(params=EVERYWHERE)
def program(request):
    return request.param


@pytest.fixture
def told(cluster, program):
    return ProtoReflectionDescriptorDatabase(SpeaksV1(cluster.channel(program)))


def served_by(program):
    owners = EVERYWHERE if program == "gateway" else (program,)
    return {method.descriptor.containing_service for method in methods.ALL if method.owner in owners}


def symbols_of(file) -> list[str]:
    """Everything that a file defines, by its full name."""

    def below(message):
        yield message
        for inner in (*message.nested_types, *message.enum_types):
            yield from below(inner) if hasattr(inner, "nested_types") else (inner,)

    found = [symbol for message in file.message_types_by_name.values() for symbol in below(message)]
    found += [*file.enum_types_by_name.values(), *file.extensions_by_name.values()]
    found += [symbol for service in file.services_by_name.values() for symbol in (service, *service.methods)]
    return [symbol.full_name for symbol in found]


def test_a_program_lists_what_it_serves(told, program):
    own = {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"}
    assert set(told.get_services()) == {service.full_name for service in served_by(program)} | own


def test_every_symbol_resolves(told, program):
    files = {service.file for service in served_by(program)}
    while more := {needed for file in files for needed in file.dependencies} - files:
        files |= more
    for file in files:
        for symbol in symbols_of(file):
            assert told.FindFileContainingSymbol(symbol).name == file.name, symbol


def test_a_client_that_knows_nothing_learns_every_method(told, program):
    pool = descriptor_pool.DescriptorPool(told)
    for service in served_by(program):
        learned = pool.FindServiceByName(service.full_name)
        for method in service.methods:
            twin = learned.FindMethodByName(method.name)
            assert fields_of(twin.input_type) == fields_of(method.input_type)
            assert fields_of(twin.output_type) == fields_of(method.output_type)


def fields_of(message, seen=frozenset()):
    """Numbers, names, types and presence of all fields, as deep as they go."""
    if message.full_name in seen:
        return message.full_name
    deeper = seen | {message.full_name}
    return {
        field.number: (
            field.name,
            field.json_name,
            field.type,
            field.is_repeated,
            field.has_presence,
            fields_of(field.message_type, deeper) if field.message_type else None,
            {value.name: value.number for value in field.enum_type.values} if field.enum_type else None,
        )
        for field in message.fields
    }


def test_the_policies_come_along(told, program):
    for service in served_by(program):
        file = told.FindFileContainingSymbol(service.full_name)
        options = {
            method.name: method.options.Extensions[policy_pb2.policy]
            for method in file.service[0].method
        }
        assert options == {method.name: method.GetOptions().Extensions[policy_pb2.policy] for method in service.methods}


def test_a_file_is_found_by_its_name(told):
    file = told.FindFileByName("heartguard/policy/v1/policy.proto")
    truth = descriptor_pb2.FileDescriptorProto()
    policy_pb2.DESCRIPTOR.CopyToProto(truth)
    for message in file.message_type:
        for field in message.field:
            field.ClearField("json_name")
    assert file.package == truth.package
    assert list(file.message_type) == list(truth.message_type)
    assert list(file.enum_type) == list(truth.enum_type)


def test_extensions_are_found_by_what_they_extend(told):
    options = "google.protobuf.MethodOptions"
    number = policy_pb2.policy.number
    assert number in told.FindAllExtensionNumbers(options)
    assert told.FindFileContainingExtension(options, number).name == "heartguard/policy/v1/policy.proto"


def test_what_is_not_there_is_not_found(told):
    for question in (
        lambda: told.FindFileByName("heartguard/billing/v1/billing.proto"),
        lambda: told.FindFileContainingSymbol("heartguard.billing.v1.BillingService"),
        lambda: told.FindFileContainingExtension("google.protobuf.MethodOptions", 1),
    ):
        with pytest.raises(KeyError):
            question()
