"""The form of the JSON door: proto3's JSON mapping, HTTP's statuses, and errors that say where."""

import json
import uuid

import pytest
from client.json_door import error_of, fields_of
from client.people import new_email
from client.readings import heart_rate
from google.protobuf.json_format import MessageToDict
from heartguard.chat.v1.chat_service_pb2 import AppendMessagesRequest, CreateSessionRequest, NewMessage

JSON = {"content-type": "application/json"}


def test_an_answer_is_written_as_protobufs_mapping_says(json_door, ada):
    user = json_door.request("GET", "/v1/profile", person=ada).json()["user"]
    assert user == MessageToDict(ada.user) | {key: user[key] for key in user.keys() - MessageToDict(ada.user).keys()}
    # 64-bit numbers are texts, names are lowerCamelCase, instants are RFC 3339
    assert user["version"] == "1"
    assert user["createdAt"].endswith("Z")
    assert "avatarUrl" not in user


def test_both_names_of_a_field_are_read_and_all_forms_of_a_number(json_door, ada):
    for body in (
        {"time_zone": "Europe/Berlin"},
        {"timeZone": "Europe/Paris", "sex": 2},
        {"expectedVersion": 3, "name": "Ada"},
        {"expected_version": "4", "phone": "+4930123456", "name": None},
        {"expectedVersion": 5.0, "phone": ""},
    ):
        assert json_door.request("PATCH", "/v1/profile", person=ada, json=body).status_code == 200, body
    user = json_door.request("GET", "/v1/profile", person=ada).json()["user"]
    assert (user["timeZone"], user["sex"], user["name"]) == ("Europe/Paris", "SEX_MALE", "Ada")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"nmae": "Ada"}, "nmae"),
        ({"name": "Ada", "address": {"street": "x"}}, "address"),
        ({"name": 7}, "name"),
        ({"expectedVersion": "soon"}, "expectedVersion"),
        ({"expectedVersion": 1.5}, "expectedVersion"),
        ({"sex": "SEX_ROBOT"}, "sex"),
        ({"sex": {}}, "sex"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(json_door, reader, body, path):
    error = json_door.refuses(400, "INVALID_ARGUMENT", "PATCH", "/v1/profile", person=reader, json=body)
    assert fields_of(error) & {path, snake(path)}


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def test_a_field_deep_inside_is_named_with_its_path(json_door, reader):
    batch = [MessageToDict(heart_rate(sequence)) for sequence in range(3)]
    batch[1]["quantity"]["valeu"] = "72"
    error = json_door.refuses(
        400, "INVALID_ARGUMENT", "POST", "/v1/observations", person=reader, json={"observations": batch}
    )
    assert fields_of(error) == {"observations[1].quantity.valeu"}
    del batch[1]["quantity"]["valeu"]
    batch[2]["effectiveAt"] = "yesterday"
    error = json_door.refuses(
        400, "INVALID_ARGUMENT", "POST", "/v1/observations", person=reader, json={"observations": batch}
    )
    assert fields_of(error) & {"observations[2].effectiveAt", "observations[2].effective_at"}


def test_a_service_that_refuses_fields_names_them_here_too(json_door):
    body = {"email": "nobody", "password": "short", "name": ""}
    error = json_door.refuses(400, "INVALID_ARGUMENT", "POST", "/v1/users", json=body)
    assert fields_of(error) == {"email", "password", "name"}
    assert all(detail["@type"] == "type.googleapis.com/google.rpc.BadRequest" for detail in error["details"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"name"',
        b"null",
        b'{"name": "Ada",}',
        b'{"name": "Ada"} {}',
        b"{'name': 'Ada'}",
        b'{"name": "Ada", "name": "Eve"}',
        b'{"name": "\xc3\x28"}',
        b'{"name": "\\ud800"}',
        b'{"expectedVersion": 1e400}',
        b"[" * 10_000,
        b'{"a":' * 10_000,
    ],
    ids=lambda body: body[:24].decode(errors="replace") or "empty",
)
def test_a_body_that_is_no_json_object_is_refused(json_door, body):
    json_door.refuses(400, "INVALID_ARGUMENT", "POST", "/v1/users", data=body, headers=JSON)


def test_a_text_with_a_nul_is_refused_and_not_cut(json_door, ada):
    body = {"name": "Ada\0Lovelace"}
    json_door.refuses(400, "INVALID_ARGUMENT", "PATCH", "/v1/profile", person=ada, json=body)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/grpc", "nonsense"])
def test_a_body_of_another_type_is_refused(json_door, kind):
    body = json.dumps({"email": new_email()}).encode()
    json_door.refuses(400, "INVALID_ARGUMENT", "POST", "/v1/sessions", data=body, headers={"content-type": kind})


def test_a_type_may_name_its_character_set(json_door, ada):
    for kind, name in (("application/json; charset=utf-8", "Zoë"), ("Application/JSON ;charset=UTF-8", "Chloë")):
        body = json.dumps({"name": name}, ensure_ascii=False).encode()
        response = json_door.request("PATCH", "/v1/profile", person=ada, data=body, headers={"content-type": kind})
        assert response.json()["user"]["name"] == name


@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/", "/v1/nothing", "/v1/profile/", "/v2/profile", "/v1/chats/x/y/z", "/v1/%2e%2e/etc", "//"],
)
def test_a_path_that_is_not_there_is_not_found(json_door, reader, path):
    json_door.refuses(404, "NOT_FOUND", "GET", path, person=reader)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/profile", {"GET", "PATCH"}),
        ("GET", "/v1/sessions", {"POST"}),
        ("PUT", "/v1/observations", {"GET", "POST"}),
        ("POST", "/v1/overview", {"GET"}),
    ],
)
def test_a_method_that_a_path_does_not_take_is_told_which_it_does(json_door, reader, method, path, allowed):
    response = json_door.request(method, path, person=reader)
    assert response.status_code == 405
    error_of(response, 405, response.json()["error"]["status"])
    assert {name.strip() for name in response.headers["allow"].split(",")} == allowed


@pytest.mark.parametrize(
    ("query", "field"),
    [("page_size=many", "page_size"), ("colour=red", "colour"), ("start_at=yesterday", "start_at")],
)
def test_a_query_that_cannot_be_read_names_its_field(json_door, reader, query, field):
    path = f"/v1/observations?code=8867-4&{query}"
    assert fields_of(json_door.refuses(400, "INVALID_ARGUMENT", "GET", path, person=reader)) == {field}


def test_a_body_cannot_lead_elsewhere_than_the_path(json_door, front, ada):
    session = ada.calls(front.chat.CreateSession, CreateSessionRequest()).session.id
    other = ada.calls(front.chat.CreateSession, CreateSessionRequest()).session.id
    message = NewMessage(client_id="a", role="ROLE_USER", content="Here")
    ada.calls(front.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=[message]))
    # a body that names another session than the path does is refused, or the path is what counts
    body = {"sessionId": other, "messages": [{"clientId": "b", "role": "ROLE_USER", "content": "Where?"}]}
    response = json_door.request("POST", f"/v1/chats/{session}/messages", person=ada, json=body)
    assert response.status_code in (200, 400)
    assert json_door.request("GET", f"/v1/chats/{other}/messages", person=ada).json().get("messages", []) == []


def test_a_body_over_the_limit_is_too_much(json_door, ada):
    body = b'{"name": "' + b"x" * (4 << 20) + b'"}'
    json_door.refuses(413, "RESOURCE_EXHAUSTED", "PATCH", "/v1/profile", person=ada, data=body, headers=JSON)
    assert json_door.request("GET", "/v1/profile", person=ada).status_code == 200
    # who has told nobody who they are sends the few fields of an account
    body = b'{"email": "' + b"x" * (64 << 10) + b'"}'
    json_door.refuses(413, "RESOURCE_EXHAUSTED", "POST", "/v1/sessions", data=body, headers=JSON)


def test_a_body_may_come_in_chunks(json_door, ada):
    def chunks():
        yield b'{"name": '
        yield b'"Ada King"}'

    response = json_door.request("PATCH", "/v1/profile", person=ada, data=chunks(), headers=JSON)
    assert response.json()["user"]["name"] == "Ada King"


def test_headers_tell_the_request_and_keep_answers_out_of_caches(json_door, reader):
    given = str(uuid.uuid4())
    response = json_door.request("GET", "/v1/profile", person=reader, headers={"x-request-id": given})
    assert response.headers["x-request-id"] == given
    assert response.headers["cache-control"] == "no-store"
    assert json_door.request("GET", "/v1/profile", person=reader).headers["x-request-id"]
    assert int(response.headers["ratelimit-remaining"]) < int(response.headers["ratelimit-limit"])


def test_a_header_that_cannot_go_on_is_the_callers_mistake(json_door, reader):
    for header in ("x-request-id", "heartguard-purpose"):
        headers = {header: "é".encode()}
        error = json_door.refuses(400, "INVALID_ARGUMENT", "GET", "/v1/profile", person=reader, headers=headers)
        assert header in error["message"]


def test_who_has_no_token_is_told_which_kind_is_wanted(json_door):
    for headers in ({}, {"authorization": "Bearer garbage"}, {"authorization": "Basic YTpi"}):
        response = json_door.request("GET", "/v1/profile", headers=headers)
        error_of(response, 401, "UNAUTHENTICATED")
        assert response.headers["www-authenticate"].startswith("Bearer")


def test_the_gateways_own_health_is_there_for_simple_probes(json_door):
    response = json_door.request("GET", "/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "SERVING"})
