"""Reflection, as PyPI's grpcio-reflection asks for it: what is told is what stands in proto/."""

import grpc
import pytest
from client import methods
from client.cluster import EVERYWHERE
from client.people import PATIENCE
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_channelz.v1 import channelz_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from heartguard.policy.v1 import policy_pb2


class AsV1:
    """A channel on which PyPI's client, which asks for v1alpha, asks for v1 as newer clients do."""

    def __init__(self, channel):
        self._channel = channel

    def stream_stream(self, method, *arguments, **keywords):
        return self._channel.stream_stream(method.replace(".v1alpha.", ".v1."), *arguments, **keywords)


@pytest.fixture(params=EVERYWHERE)
def program(request):
    return request.param


@pytest.fixture
def told(cluster, program):
    return ProtoReflectionDescriptorDatabase(cluster.channel(program))


def served_by(program):
    return methods.services_of(program)


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
    own = {
        "grpc.channelz.v1.Channelz",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
        "heartguard.monitoring.v1.MonitoringService",
        "heartguard.telemetry.v1.TelemetryService",
    }
    assert set(told.get_services()) == {service.full_name for service in served_by(program)} | own


def test_every_symbol_resolves(told, program):
    files = {service.file for service in served_by(program)}
    while more := {needed for file in files for needed in file.dependencies} - files:
        files |= more
    # what belongs to protobuf itself is as old or new as each side's protobuf
    for file in (file for file in files if not file.name.startswith("google/protobuf/")):
        for symbol in symbols_of(file):
            assert told.FindFileContainingSymbol(symbol).name == file.name, symbol


@pytest.mark.parametrize("module", [channelz_pb2, health_pb2, reflection_pb2], ids=lambda module: module.__name__)
def test_the_services_of_the_runtime_resolve_too(told, module):
    for symbol in symbols_of(module.DESCRIPTOR):
        # what travels only inside google.protobuf.Any is left to those who send it
        if not symbol.startswith("grpc.channelz.v1.SocketOption") or symbol == "grpc.channelz.v1.SocketOption":
            assert told.FindFileContainingSymbol(symbol).package == module.DESCRIPTOR.package, symbol


def test_newer_clients_ask_for_v1(cluster, program, told):
    newer = ProtoReflectionDescriptorDatabase(AsV1(cluster.channel(program)))
    assert list(newer.get_services()) == list(told.get_services())
    for service in newer.get_services():
        file = newer.FindFileContainingSymbol(service)
        assert file == told.FindFileContainingSymbol(service)
        assert service in [f"{file.package}.{one.name}" for one in file.service]


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
        options = {method.name: method.options.Extensions[policy_pb2.policy] for method in file.service[0].method}
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


def ask(cluster, program, **question):
    """One question as it is: PyPI's database of descriptors looks for no extension by its number."""
    stub = reflection_pb2_grpc.ServerReflectionStub(cluster.channel(program))
    request = reflection_pb2.ServerReflectionRequest(**question)
    (answer,) = stub.ServerReflectionInfo(iter([request]), timeout=PATIENCE)
    assert answer.original_request == request
    return answer


def test_extensions_are_found_by_what_they_extend(cluster, program):
    options, number = "google.protobuf.MethodOptions", policy_pb2.policy.number
    numbers = ask(cluster, program, all_extension_numbers_of_type=options).all_extension_numbers_response
    assert numbers.base_type_name == options
    assert number in numbers.extension_number

    wanted = reflection_pb2.ExtensionRequest(containing_type=options, extension_number=number)
    files = ask(cluster, program, file_containing_extension=wanted).file_descriptor_response.file_descriptor_proto
    first = descriptor_pb2.FileDescriptorProto.FromString(files[0])
    assert first.name == "heartguard/policy/v1/policy.proto"


@pytest.mark.parametrize(
    "question",
    [
        {"file_by_filename": "heartguard/billing/v1/billing.proto"},
        {"file_containing_symbol": "heartguard.billing.v1.BillingService"},
        {"file_containing_extension": {"containing_type": "google.protobuf.MethodOptions", "extension_number": 1}},
        {"all_extension_numbers_of_type": "heartguard.billing.v1.Bill"},
    ],
    ids=lambda question: next(iter(question)),
)
def test_what_is_not_there_is_not_found(cluster, program, question):
    assert ask(cluster, program, **question).error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_one_stream_answers_many_questions(cluster, program):
    stub = reflection_pb2_grpc.ServerReflectionStub(cluster.channel(program))
    questions = [reflection_pb2.ServerReflectionRequest(list_services="", host=f"{n}") for n in range(50)]
    answers = stub.ServerReflectionInfo(iter(questions), timeout=PATIENCE)
    assert [answer.original_request for answer in answers] == questions
