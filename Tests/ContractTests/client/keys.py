"""Calls with an idempotency-key: what a client sends, and how it tells that an answer was given before."""

import dataclasses
import secrets

import grpc

from client import methods
from client.methods import Method
from client.people import PATIENCE, Person

FIELD = "idempotency-key"
REPLAYED = "idempotent-replayed"


def new_key() -> str:
    return secrets.token_urlsafe(24)


@dataclasses.dataclass(frozen=True)
class Answer:
    content: bytes
    is_replayed: bool


def is_replayed(call: grpc.Call) -> bool:
    return (REPLAYED, "true") in [(field.key, field.value) for field in call.initial_metadata() or ()]


def ask(method: Method, channel: grpc.Channel, request, person: Person | list, *keys: str, timeout: float = PATIENCE) -> Answer:
    """The bytes of the answer. The request may be bytes already, and the person the metadata of a call."""
    content = request if isinstance(request, bytes) else request.SerializeToString()
    metadata = [*(person if isinstance(person, list) else person.metadata), *((FIELD, key) for key in keys)]
    stub = channel.unary_unary(method.path, request_serializer=bytes, response_deserializer=bytes)
    answer, call = stub.with_call(content, metadata=metadata, timeout=timeout)
    return Answer(answer, is_replayed(call))


# What ends the session that it is called in: made again it finds nobody signed in.
ENDS_THE_SESSION = ("UsersService.LogOut", "UsersService.LogOutEverywhere")

# Said of appointments that have begun, for which no test can wait.
NEVER_ANSWERED = ("AppointmentsService.CompleteAppointment", "AppointmentsService.MarkNoShow")


class Twice:
    """Stands in the place of `Person.calls` and makes each call of a method that keeps answers twice with one key: whatever a test
    expects of the call has to hold of both together."""

    def __init__(self):
        self._known = {method.path: method for method in methods.ALL if method.keeps_answers}
        self._once = Person.calls
        # the names of those that were answered twice
        self.repeated: set[str] = set()
        # whether all tests ran, so that nothing may be missing
        self.is_complete = False

    @property
    def missing(self) -> list[str]:
        return sorted({str(method) for method in self._known.values()} - self.repeated - set(NEVER_ANSWERED))

    def install(self) -> None:
        twice = self

        def calls(person, stub, request, *, timeout=PATIENCE):
            return twice.calls(person, stub, request, timeout)

        Person.calls = calls

    def calls(self, person: Person, stub, request, timeout: float):
        path = getattr(stub, "_method", b"")
        method = self._known.get(path.decode() if isinstance(path, bytes) else path)
        if method is None:
            return self._once(person, stub, request, timeout=timeout)
        metadata = [*person.metadata, (FIELD, new_key())]
        first, call = stub.with_call(request, metadata=metadata, timeout=timeout)
        assert not is_replayed(call)
        try:
            second, again = stub.with_call(request, metadata=metadata, timeout=timeout)
        except grpc.RpcError as error:
            assert str(method) in ENDS_THE_SESSION and error.code() == grpc.StatusCode.UNAUTHENTICATED, str(method)
        else:
            assert is_replayed(again), str(method)
            assert second.SerializeToString(deterministic=True) == first.SerializeToString(deterministic=True), str(method)
        self.repeated.add(str(method))
        return first
