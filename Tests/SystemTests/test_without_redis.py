"""What every method answers at the Gateway while either Redis is gone: as docs/operations.md has it in its table of methods."""

import contextlib
import pathlib

import grpc
import pytest
from client import methods, people
from client.methods import Method
from client.people import PATIENCE
from processes import kill, nobody_restarting, paused, pid_of
from waiting import until

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "operations.md"
COLUMNS = {"redis_cache": "cache Redis gone", "redis_durable": "durable Redis gone"}


def promises(store: str) -> dict[str, str]:
    """What the page says of each method, in its column of this store."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("<!-- methods without their stores"))
    end = lines.index("<!-- end of the methods -->")
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[begin + 1 : end])
    column = head.index(COLUMNS[store])
    return {row[0].replace("/", "."): row[column] for row in rows}


@contextlib.contextmanager
def killed(cluster, name: str):
    """The process is gone until the end of the block."""
    with nobody_restarting(cluster):
        pid = kill(cluster, name)
        yield
    until(lambda: pid_of(cluster, name) not in (None, pid), f"{name} is started again")


class Callers:
    """Somebody for the methods of each service, for a Gateway on its share lets few calls of one person through at once. Who logs out is
    somebody else."""

    def __init__(self, direct, operator):
        self._operator = operator
        of_users = methods.with_access("ACCESS_USER")
        self._people = {name: people.register(direct.users) for name in {self._name(method) for method in of_users}}

    @staticmethod
    def _name(method: Method) -> str:
        return method.path if method.descriptor.name.startswith("LogOut") else method.descriptor.containing_service.full_name

    def metadata(self, method: Method):
        if method.access == "ACCESS_PUBLIC":
            return None
        person = self._operator if method.access == "ACCESS_OPERATOR" else self._people[self._name(method)]
        return person.metadata


def code_of(front, method: Method, metadata) -> str:
    """How a call without anything in it ends; whoever is told to come again does."""
    code = "RESOURCE_EXHAUSTED"

    def is_told() -> bool:
        nonlocal code
        try:
            method.bytes_stub(front.channel(method.owner))(b"", metadata=metadata, timeout=PATIENCE)
            code = "OK"
        except grpc.RpcError as error:
            code = error.code().name
        return code != "RESOURCE_EXHAUSTED"

    until(is_told, f"{method} is let through", every=1)
    return code


def codes_of(front, callers: Callers) -> dict[str, str]:
    return {method.path: code_of(front, method, callers.metadata(method)) for method in methods.ALL}


@pytest.fixture(scope="module")
def usual(front, direct, operator):
    """How the calls end while both are there."""
    codes = codes_of(front, Callers(direct, operator))
    assert not {"UNAVAILABLE", "UNAUTHENTICATED"} & {codes[method.path] for method in methods.with_access("ACCESS_USER", "ACCESS_OPERATOR")}
    return codes


@pytest.mark.parametrize("lost", [killed, paused])
@pytest.mark.parametrize("store", COLUMNS)
def test_every_method_answers_as_the_page_says(cluster, front, direct, operator, usual, store, lost):
    promised = promises(store)
    callers = Callers(direct, operator)
    with lost(cluster, store):
        codes = codes_of(front, callers)
    sign_in = methods.named("UsersService.LogIn")
    until(lambda: code_of(front, sign_in, None) == usual[sign_in.path], "signing in works again", every=0.5)

    wanted = {method.path: usual[method.path] if promised[str(method)].startswith("open") else "UNAVAILABLE" for method in methods.ALL}
    assert codes == wanted
