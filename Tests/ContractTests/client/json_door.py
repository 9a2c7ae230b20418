"""The Gateway's JSON door, as `requests` sees it."""

import requests
from google.protobuf import json_format

from client.cluster import Cluster
from client.people import PATIENCE, Person


class JSONDoor:
    def __init__(self, cluster: Cluster):
        host, port = cluster.json_address
        self.root = f"https://{host}:{port}"
        self._session = requests.Session()
        self._session.verify = cluster.authority
        # a proxy or a CA that the environment names for the world outside is not for this
        self._session.trust_env = False

    def request(self, method: str, path: str, *, person: Person | None = None, headers: dict | None = None, **rest):
        headers = dict(headers or {})
        if person is not None:
            headers["authorization"] = f"Bearer {person.tokens.access_token}"
        return self._session.request(method, self.root + path, headers=headers, timeout=PATIENCE, **rest)

    def answers(self, kind, method: str, path: str, **rest):
        """The answer as its message: PyPI's protobuf has to find every field of it known and well-formed."""
        response = self.request(method, path, **rest)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("application/json")
        return json_format.Parse(response.content, kind())

    def refuses(self, http_status: int, status: str, method: str, path: str, **rest) -> dict:
        """The error of a refused request, after a look at its form."""
        response = self.request(method, path, **rest)
        assert response.status_code == http_status, response.text
        return error_of(response, http_status, status)

    def close(self) -> None:
        self._session.close()


def error_of(response, http_status: int, status: str) -> dict:
    assert response.headers["content-type"].startswith("application/json")
    body = response.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert error["code"] == http_status
    assert error["status"] == status
    assert error["message"]
    return error


def fields_of(error: dict) -> set[str]:
    """The fields that a google.rpc.BadRequest among the details complains about."""
    return {
        violation["field"]
        for detail in error.get("details", [])
        if detail["@type"].endswith("/google.rpc.BadRequest")
        for violation in detail["fieldViolations"]
    }
