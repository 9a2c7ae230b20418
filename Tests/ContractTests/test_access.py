"""Who may call: every method of the contracts, at both doors, by what its policy says."""

import pytest
from client import methods, tokens
from client.methods import Method
from client.people import PATIENCE, bearing, register
from client.refusals import refused
from heartguard.users.v1.users_service_pb2 import GetProfileRequest

GUARDED = methods.with_access("ACCESS_USER", "ACCESS_OPERATOR")


def call(cluster, door, method: Method, metadata):
    channel = cluster.channel("gateway") if method.owner == "gateway" else door.channel(method.owner)
    return method.bytes_stub(channel)(b"", metadata=metadata, timeout=PATIENCE)


def test_every_method_says_who_may_call_it():
    assert len(methods.ALL) >= 27
    assert {method.access for method in methods.ALL} <= {"ACCESS_PUBLIC", "ACCESS_USER", "ACCESS_OPERATOR"}
    assert [str(method) for method in methods.with_access("ACCESS_PUBLIC")] == [
        "UsersService.Register",
        "UsersService.LogIn",
        "UsersService.RefreshToken",
    ]


@pytest.mark.parametrize("method", GUARDED, ids=str)
def test_without_a_good_token_nothing_is_answered(cluster, door, reader, method):
    true = reader.tokens.access_token
    for metadata in (
        None,
        [("authorization", "")],
        [("authorization", true)],
        [("authorization", f"Basic {true}")],
        bearing("garbage"),
        bearing(true[:-4]),
        bearing(true + "A"),
    ):
        with refused("UNAUTHENTICATED"):
            call(cluster, door, method, metadata)


@pytest.mark.parametrize("method", methods.with_access("ACCESS_OPERATOR"), ids=str)
def test_what_is_an_operators_is_denied_to_others(cluster, door, reader, operator, method):
    with refused("PERMISSION_DENIED"):
        call(cluster, door, method, reader.metadata)
    if not method.descriptor.input_type.fields:
        call(cluster, door, method, operator.metadata)
        return
    with refused("INVALID_ARGUMENT"):
        call(cluster, door, method, operator.metadata)


@pytest.fixture(scope="module")
def victim(direct):
    return register(direct.users, name="Vera Victim")


@pytest.fixture(scope="module")
def forger(cluster, victim):
    return tokens.Forger(cluster, victim.tokens.access_token)


def test_a_token_of_the_clusters_key_is_good(door, forger, victim):
    metadata = bearing(forger.token())
    assert door.users.GetProfile(GetProfileRequest(), metadata=metadata, timeout=PATIENCE).user == victim.user


FORGERIES = {
    "has expired": lambda forger, _: forger.token(claims={"iat": 1, "nbf": 1, "exp": 1_000_000_000}),
    "is not valid yet": lambda forger, _: forger.token(claims={"nbf": 4_000_000_000, "exp": 4_000_000_300}),
    "comes from another issuer": lambda forger, _: forger.token(claims={"iss": "https://elsewhere.test"}),
    "is for another audience": lambda forger, _: forger.token(claims={"aud": "elsewhere"}),
    "names a key that is not known": lambda forger, _: forger.token(header={"kid": "another"}),
    "names no key": lambda forger, _: forger.token(header={"kid": None}),
    "is no access token": lambda forger, _: forger.token(header={"typ": "JWT"}),
    "says it needs no signature": lambda forger, _: forger.token(header={"alg": "none"}),
    "has no signature": lambda forger, _: forger.token(header={"alg": "none"}).rpartition(".")[0] + ".",
    "says it is signed otherwise": lambda forger, _: forger.token(header={"alg": "HS256"}),
    "demands an extension": lambda forger, _: forger.token(header={"crit": ["b64"], "b64": False}),
    "is signed with another key": lambda forger, folder: forger.token(key=tokens.new_key(folder)),
    "has a role that there is not": lambda forger, _: forger.token(claims={"role": "king"}),
    "is somebody's without an id": lambda forger, _: forger.token(claims={"sub": "ada"}),
    "is too long": lambda forger, _: forger.token(claims={"more": "x" * 5000}),
}


@pytest.mark.parametrize("fault", FORGERIES)
def test_a_token_is_refused_that(door, forger, tmp_path, fault):
    with refused("UNAUTHENTICATED"):
        metadata = bearing(FORGERIES[fault](forger, tmp_path))
        door.users.GetProfile(GetProfileRequest(), metadata=metadata, timeout=PATIENCE)


def test_a_claim_cannot_be_changed_under_the_signature(door, victim):
    header, claims, signature = victim.tokens.access_token.split(".")
    raised = tokens.encoded(str(tokens.decoded(claims) | {"role": "operator"}).replace("'", '"').encode())
    with refused("UNAUTHENTICATED"):
        metadata = bearing(f"{header}.{raised}.{signature}")
        door.users.GetProfile(GetProfileRequest(), metadata=metadata, timeout=PATIENCE)
