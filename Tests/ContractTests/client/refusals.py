"""What a call is refused with, as grpcio-status reads it."""

import contextlib

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


class Refusal:
    """A status with its details. Filled in when the call has been refused."""

    code: str = ""
    message: str = ""
    details: list
    trailers: dict

    def _read(self, error: grpc.RpcError) -> None:
        self.code = error.code().name
        self.message = error.details()
        self.trailers = dict(error.trailing_metadata() or ())
        # from_call refuses a rich status whose code or message is not that of the plain one
        status = rpc_status.from_call(error)
        self.details = list(status.details) if status is not None else []

    def _detail(self, kind):
        for detail in self.details:
            if detail.Is(kind.DESCRIPTOR):
                message = kind()
                detail.Unpack(message)
                return message
        return None

    @property
    def fields(self) -> set[str]:
        """The fields that google.rpc.BadRequest complains about."""
        bad_request = self._detail(error_details_pb2.BadRequest)
        if bad_request is None:
            return set()
        assert all(violation.description for violation in bad_request.field_violations)
        return {violation.field for violation in bad_request.field_violations}

    @property
    def reason(self) -> tuple[str, str] | None:
        """What google.rpc.ErrorInfo names: which service, and which of its errors."""
        info = self._detail(error_details_pb2.ErrorInfo)
        return None if info is None else (info.domain, info.reason)

    @property
    def exhausted(self) -> set[str]:
        """Whose budgets google.rpc.QuotaFailure says are used up."""
        failure = self._detail(error_details_pb2.QuotaFailure)
        if failure is None:
            return set()
        assert all(violation.description for violation in failure.violations)
        return {violation.subject for violation in failure.violations}

    @property
    def retry_seconds(self) -> float | None:
        info = self._detail(error_details_pb2.RetryInfo)
        return None if info is None else info.retry_delay.ToTimedelta().total_seconds()


@contextlib.contextmanager
def refused(code: str):
    """The call in the block ends with this status; its sentence is one for a person."""
    refusal = Refusal()
    try:
        yield refusal
    except grpc.RpcError as error:
        refusal._read(error)
        assert refusal.code == code, f"{refusal.code}: {refusal.message}"
        assert refusal.message
        return
    raise AssertionError(f"the call was answered, and {code} was expected")


@contextlib.contextmanager
def invalid(*fields: str):
    """The call in the block is refused for exactly these fields."""
    with refused("INVALID_ARGUMENT") as refusal:
        yield refusal
    assert refusal.fields == set(fields)
