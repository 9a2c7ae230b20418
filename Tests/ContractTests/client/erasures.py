"""An erasure as an operator follows it, and its receipt as anybody verifies it: with the published key and openssl."""

import contextlib
import json
import pathlib
import subprocess
import tempfile
import threading
import time

import grpc
from heartguard.users.v1.users_pb2 import ERASURE_STATE_DONE, Erasure
from heartguard.users.v1.users_service_pb2 import GetErasureRequest

from client.cluster import Cluster
from client.tokens import bytes_of, decoded

TYPE = "heartguard-erasure+jwt"

_never = threading.Event()


def finished(users, operator, erasure_id: str, *, within: float = 120.0) -> Erasure:
    """The erasure, once it is done, whoever is away meanwhile."""
    end = time.monotonic() + within
    while True:
        with contextlib.suppress(grpc.RpcError):
            erasure = operator.calls(users.GetErasure, GetErasureRequest(erasure_id=erasure_id)).erasure
            if erasure.state == ERASURE_STATE_DONE:
                return erasure
        assert time.monotonic() < end, f"the erasure is not done within {within:.0f} s"
        _never.wait(0.1)


def verified(cluster: Cluster, receipt: str) -> dict:
    """What a receipt says, if the cluster's key has signed it."""
    head, claims, signature = receipt.split(".")
    header = decoded(head)
    assert (header["typ"], header["alg"]) == (TYPE, "ES256")
    keys = {key["kid"]: key for key in json.loads((cluster.state / "token-jwks.json").read_text())["keys"]}
    key = keys[header["kid"]]
    point = b"\x04" + bytes_of(key["x"]) + bytes_of(key["y"])
    # SubjectPublicKeyInfo of a point on P-256 (RFC 5480), and ECDSA-Sig-Value (RFC 3279, section 2.2.3)
    public = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point
    raw = bytes_of(signature)
    numbers = b"".join(_integer(raw[place : place + 32]) for place in (0, 32))
    with tempfile.TemporaryDirectory() as folder:
        files = {"key": public, "signature": b"\x30" + bytes([len(numbers)]) + numbers, "content": f"{head}.{claims}".encode()}
        for name, content in files.items():
            (pathlib.Path(folder) / name).write_bytes(content)
        command = ["openssl", "dgst", "-sha256", "-verify", "key", "-keyform", "DER", "-signature", "signature", "content"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return decoded(claims)


def _integer(number: bytes) -> bytes:
    """As DER writes one that is not negative."""
    shortest = number.lstrip(b"\0")
    content = b"\0" + shortest if not shortest or shortest[0] >= 0x80 else shortest
    return b"\x02" + bytes([len(content)]) + content
