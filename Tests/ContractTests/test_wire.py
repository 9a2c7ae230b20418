"""What gRPC itself promises, whatever the method: at all five programs."""

import concurrent.futures

import grpc
import pytest
from client import methods, people
from client.cluster import EVERYWHERE
from client.people import PATIENCE
from client.refusals import refused
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest
from heartguard.users.v1.users_service_pb2 import GetProfileRequest, UpdateProfileRequest
from heartguard.vitals.v1.vitals_service_pb2 import ListDevicesRequest

# A method that a signed-in caller may call with an empty request, at each program.
SIMPLE = {
    "gateway": "GatewayService.GetPatientOverview",
    "users": "UsersService.GetProfile",
    "vitals": "VitalsService.ListDevices",
    "chat": "ChatService.ListSessions",
    "vectors": "VectorsService.ListCollections",
}

# Field 1999 as a later version may add it: a varint, a text, eight bytes, a message within a message, four bytes.
UNKNOWN_FIELDS = (
    b"\xf8\x7c\x07" + b"\xfa\x7c\x05later" + b"\xf9\x7c" + b"\1" * 8 + b"\xfa\x7c\x04\x0a\x02hi" + b"\xfd\x7c\0\0\0\0"
)


def simple_call(cluster, program, content=b"", **options):
    stub = methods.named(SIMPLE[program]).bytes_stub(cluster.channel(program))
    return stub(content, **{"timeout": PATIENCE, **options})


@pytest.mark.parametrize("program", EVERYWHERE)
@pytest.mark.parametrize(
    "path",
    [
        "/heartguard.users.v1.UsersService/GetEverything",
        "/heartguard.vitals.v1.VitalsService/",
        "/heartguard.billing.v1.BillingService/Pay",
        "/nothing",
    ],
)
def test_what_is_not_there_is_unimplemented(cluster, reader, program, path):
    stub = cluster.channel(program).unary_unary(path)
    with refused("UNIMPLEMENTED"):
        stub(b"", metadata=reader.metadata, timeout=PATIENCE)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_fields_of_a_later_version_do_no_harm(cluster, reader, program):
    plain = simple_call(cluster, program, metadata=reader.metadata)
    later = simple_call(cluster, program, UNKNOWN_FIELDS, metadata=reader.metadata)
    for part in [*getattr(plain, "parts", ()), *getattr(later, "parts", ())]:
        part.ClearField("elapsed_microseconds")
    assert later == plain


# These change the caller even with an empty request, so they have a test of their own below.
CHANGES_THE_CALLER = ("UsersService.LogOut", "UsersService.LogOutEverywhere", "UsersService.UpdateProfile")


@pytest.mark.parametrize("method", [method for method in methods.ALL if str(method) not in CHANGES_THE_CALLER], ids=str)
def test_every_method_reads_past_fields_of_a_later_version(cluster, operator, method):
    stub = method.bytes_stub(cluster.channel(method.owner))
    codes = []
    for content in (b"", UNKNOWN_FIELDS):
        try:
            stub(content, metadata=operator.metadata, timeout=PATIENCE)
            codes.append("OK")
        except grpc.RpcError as error:
            codes.append((error.code().name, error.details()))
    assert codes[0] == codes[1]
    assert codes[0] == "OK" or codes[0][0] in ("INVALID_ARGUMENT", "NOT_FOUND")


def test_a_change_is_made_though_fields_of_a_later_version_come_with_it(door, ada):
    method = methods.named("UsersService.UpdateProfile")
    content = UpdateProfileRequest(name="Ada King").SerializeToString() + UNKNOWN_FIELDS
    changed = method.bytes_stub(door.channel("users"))(content, metadata=ada.metadata, timeout=PATIENCE)
    assert changed.user.name == "Ada King"
    for name, person in (("LogOut", ada), ("LogOutEverywhere", people.log_in(door.users, ada.email, ada.password))):
        left = methods.named(f"UsersService.{name}")
        left.bytes_stub(door.channel("users"))(UNKNOWN_FIELDS, metadata=person.metadata, timeout=PATIENCE)
        with refused("UNAUTHENTICATED"):
            person.calls(door.users.GetProfile, GetProfileRequest())


@pytest.mark.parametrize(
    "content",
    [
        b"\x0a\xff\xff\xff\xff\x0f",  # a text of four gigabytes, of which nothing came
        b"\x0a\x05ab",  # a text cut short
        b"\x0a\x02\xc3\x28",  # a text that is no UTF-8
        b"\x07",  # a wire type that there is not
        b"\xff" * 64,
        b"\x0b" * 2000,  # groups in groups, never ended
    ],
)
def test_bytes_that_are_no_message_are_an_error_and_no_harm(door, ada, content):
    stub = methods.named("UsersService.UpdateProfile").bytes_stub(door.channel("users"))
    with pytest.raises(grpc.RpcError) as caught:
        stub(content, metadata=ada.metadata, timeout=PATIENCE)
    assert caught.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user


def test_a_text_with_a_nul_is_refused_and_not_cut(door, ada):
    with pytest.raises(grpc.RpcError) as caught:
        ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name="Ada\0Lovelace"))
    assert caught.value.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_message_over_the_limit_is_too_much_and_the_connection_stays(cluster, reader, program):
    with refused("RESOURCE_EXHAUSTED"):
        simple_call(
            cluster, program, UNKNOWN_FIELDS + b"\xfa\x7c\x80\x80\x80\x02" + bytes(4 << 20), metadata=reader.metadata
        )
    simple_call(cluster, program, metadata=reader.metadata)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_metadata_over_the_limit_is_refused_and_the_connection_stays(cluster, reader, program):
    with refused("RESOURCE_EXHAUSTED"):
        simple_call(cluster, program, metadata=[*reader.metadata, ("x-large", "x" * 20_000)])
    simple_call(cluster, program, metadata=reader.metadata)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_metadata_that_nobody_asked_for_does_no_harm(cluster, reader, program):
    extra = [("x-something", "hello"), ("x-something", "again"), ("x-bytes-bin", bytes(range(256)))]
    simple_call(cluster, program, metadata=[*reader.metadata, *extra])


# an unknown field of many zeros, which compress well
ZEROS = UNKNOWN_FIELDS + b"\xfa\x7c\x90\x4e" + bytes(10_000)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_message_compressed_with_gzip_is_read(cluster, reader, program):
    simple_call(cluster, program, ZEROS, metadata=reader.metadata, compression=grpc.Compression.Gzip)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_message_compressed_otherwise_is_refused(cluster, reader, program):
    with refused("UNIMPLEMENTED"):
        simple_call(cluster, program, ZEROS, metadata=reader.metadata, compression=grpc.Compression.Deflate)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_small_message_that_unpacks_into_a_large_one_is_refused(cluster, reader, program):
    # 60 MiB in 60 kB; no message may have more than a few
    bomb = UNKNOWN_FIELDS + b"\xfa\x7c\x80\x80\x80\x1e" + bytes(60 << 20)
    with refused("RESOURCE_EXHAUSTED"):
        simple_call(cluster, program, bomb, metadata=reader.metadata, compression=grpc.Compression.Gzip)
    simple_call(cluster, program, metadata=reader.metadata)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_deadline_that_is_too_near_passes_and_leaves_no_trace(cluster, reader, program):
    # 2 MiB, which cannot be there and answered within the millisecond that gRPC makes of this
    large = UNKNOWN_FIELDS + b"\xfa\x7c\x80\x80\x80\x01" + bytes(2 << 20)
    with refused("DEADLINE_EXCEEDED"):
        for _ in range(50):
            simple_call(cluster, program, large, metadata=reader.metadata, timeout=0.0002)
    simple_call(cluster, program, metadata=reader.metadata)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_calls_that_are_given_up_leave_the_rest_alone(cluster, reader, program):
    stub = methods.named(SIMPLE[program]).bytes_stub(cluster.channel(program))
    calls = [stub.future(b"", metadata=reader.metadata, timeout=PATIENCE) for _ in range(40)]
    for call in calls[::2]:
        call.cancel()
    for call in calls[1::2]:
        call.result()


def test_hundreds_of_calls_at_once_are_all_answered(door, ada):
    def work(number):
        if number % 3 == 0:
            return ada.calls(door.users.GetProfile, GetProfileRequest()).user.id == ada.user.id
        if number % 3 == 1:
            return len(ada.calls(door.vitals.ListDevices, ListDevicesRequest()).devices) == 0
        return ada.calls(door.chat.CreateSession, CreateSessionRequest(client_id=f"{number}")).created

    with concurrent.futures.ThreadPoolExecutor(max_workers=32) as threads:
        assert all(threads.map(work, range(300)))


def test_one_change_of_many_at_once_wins(door, ada):
    def change(number):
        try:
            ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name=f"Ada {number}", expected_version=1))
            return "OK"
        except grpc.RpcError as error:
            return error.code().name

    with concurrent.futures.ThreadPoolExecutor(max_workers=16) as threads:
        outcomes = list(threads.map(change, range(16)))
    assert sorted(outcomes) == ["ABORTED"] * 15 + ["OK"]
