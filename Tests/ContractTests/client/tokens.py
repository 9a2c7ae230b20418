"""Access tokens that nobody issued. The signed ones use the cluster's own key, which lies beside cluster.json."""

import base64
import json
import pathlib
import subprocess
import time
import uuid

from client.cluster import Cluster


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def bytes_of(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def decoded(part: str) -> dict:
    return json.loads(bytes_of(part))


class Forger:
    """Makes tokens like a true one, with chosen differences in header, claims and key."""

    def __init__(self, cluster: Cluster, true_token: str):
        self._key = cluster.state / "secrets" / "token-signing-key.pem"
        header, claims, _ = true_token.split(".")
        self._header, self._claims = decoded(header), decoded(claims)

    def token(self, *, header: dict | None = None, claims: dict | None = None, key: pathlib.Path | None = None) -> str:
        now = int(time.time())
        fresh = {"jti": str(uuid.uuid4()), "iat": now, "nbf": now, "exp": now + 300}
        parts = [{**self._header, **(header or {})}, {**self._claims, **fresh, **(claims or {})}]
        content = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{content}.{encoded(_es256(content.encode(), key or self._key))}"


def new_key(folder: pathlib.Path) -> pathlib.Path:
    path = folder / "another-key.pem"
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path


def _es256(content: bytes, key: pathlib.Path) -> bytes:
    """openssl writes SEQUENCE { INTEGER r, INTEGER s }; a JSON Web Signature has both as 32 bytes."""
    command = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    der = subprocess.run(command, input=content, check=True, capture_output=True).stdout
    numbers, place = [], 2
    for _ in range(2):
        size = der[place + 1]
        numbers.append(int.from_bytes(der[place + 2 : place + 2 + size], "big"))
        place += 2 + size
    return b"".join(number.to_bytes(32, "big") for number in numbers)
