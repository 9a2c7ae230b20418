"""Every method at the JSON door. Each answer is read by PyPI's protobuf and compared with gRPC's."""

import secrets

import pytest
import requests
from client import methods, people
from client.people import Person, new_email, new_password
from client.readings import HEART_RATE, at, heart_rate
from google.protobuf.json_format import MessageToDict
from heartguard.chat.v1 import chat_service_pb2 as chat
from heartguard.chat.v1 import checkpoints_service_pb2 as checkpoints
from heartguard.gateway.v1 import gateway_service_pb2
from heartguard.users.v1 import users_service_pb2 as users
from heartguard.vectors.v1 import vectors_service_pb2 as vectors
from heartguard.vitals.v1 import vitals_service_pb2 as vitals


def test_every_method_of_one_request_has_a_route_there(json_door):
    for method in methods.with_access("ACCESS_USER", "ACCESS_OPERATOR"):
        if method.is_streaming:
            continue
        verb, path = method.route
        path = path.replace("{", "").replace("}", "")
        json_door.refuses(401, "UNAUTHENTICATED", verb, path, **({} if verb in ("GET", "DELETE") else {"json": {}}))
    for method in methods.with_access("ACCESS_PUBLIC"):
        verb, path = method.route
        json_door.refuses(400, "INVALID_ARGUMENT", verb, path, json={})


def test_registering_signing_in_refreshing_and_logging_out(json_door):
    email, password = new_email(), new_password()
    body = {
        "email": email,
        "password": password,
        "name": "Ada Lovelace",
        "birthDate": "1984-02-29",
        "sex": "SEX_FEMALE",
    }
    registered = json_door.answers(users.RegisterResponse, "POST", "/v1/users", json=body)
    assert registered.user.email == email
    assert registered.user.birth_date == "1984-02-29"

    signed_in = json_door.answers(
        users.LogInResponse, "POST", "/v1/sessions", json={"email": email, "password": password}
    )
    assert signed_in.user == registered.user

    shown = {"refreshToken": signed_in.tokens.refresh_token}
    refreshed = json_door.answers(users.RefreshTokenResponse, "POST", "/v1/sessions:refresh", json=shown)
    person = Person(registered.user, refreshed.tokens, password)
    json_door.answers(users.LogOutResponse, "POST", "/v1/sessions:end", person=person, json={})
    again = json_door.answers(users.LogInResponse, "POST", "/v1/sessions", json={"email": email, "password": password})
    json_door.answers(
        users.LogOutEverywhereResponse, "POST", "/v1/sessions:endAll", person=Person(again.user, again.tokens, password), json={}
    )
    json_door.refuses(401, "UNAUTHENTICATED", "GET", "/v1/profile", person=person)
    json_door.refuses(401, "UNAUTHENTICATED", "POST", "/v1/sessions:refresh", json=shown)
    json_door.refuses(409, "ALREADY_EXISTS", "POST", "/v1/users", json=body)


def test_the_profile(json_door, front, ada):
    assert json_door.answers(users.GetProfileResponse, "GET", "/v1/profile", person=ada).user == ada.user
    change = {"name": "Ada King", "phone": "+4930123456", "expectedVersion": "1"}
    changed = json_door.answers(users.UpdateProfileResponse, "PATCH", "/v1/profile", person=ada, json=change)
    assert changed.user == ada.calls(front.users.GetProfile, users.GetProfileRequest()).user
    assert (changed.user.name, changed.user.phone) == ("Ada King", "+4930123456")
    json_door.refuses(409, "ABORTED", "PATCH", "/v1/profile", person=ada, json=change)
    masked = {"name": "Ada Byron", "updateMask": "phone,birthDate"}
    changed = json_door.answers(users.UpdateProfileResponse, "PATCH", "/v1/profile", person=ada, json=masked)
    assert changed.user.name == "Ada King" and not changed.user.HasField("phone")
    whole = {"name": "Ada Byron", "phone": "+4930654321", "updateMask": "*"}
    changed = json_door.answers(users.UpdateProfileResponse, "PATCH", "/v1/profile", person=ada, json=whole)
    assert (changed.user.name, changed.user.phone) == ("Ada Byron", "+4930654321")


def test_consents(json_door, front, ada):
    research = {"kind": "CONSENT_KIND_RESEARCH"}
    json_door.refuses(404, "NOT_FOUND", "POST", "/v1/consents:withdraw", person=ada, json=research)
    text = {**research, "documentVersion": "2026-02"}
    json_door.answers(users.GiveConsentResponse, "POST", "/v1/consents:give", person=ada, json=text)
    json_door.answers(users.WithdrawConsentResponse, "POST", "/v1/consents:withdraw", person=ada, json=research)
    listed = json_door.answers(users.ListConsentsResponse, "GET", "/v1/consents", person=ada)
    assert listed == ada.calls(front.users.ListConsents, users.ListConsentsRequest())
    assert [consent.granted for consent in listed.consents] == [False]


def test_observations(json_door, front, ada):
    batch = [MessageToDict(heart_rate(sequence)) for sequence in range(5)]
    recorded = json_door.answers(
        vitals.RecordObservationsResponse, "POST", "/v1/observations", person=ada, json={"observations": batch}
    )
    assert recorded.recorded_count == 5

    question = {"code": HEART_RATE, "page_size": 2, "start_at": at(1).ToJsonString(), "end_at": at(4).ToJsonString()}
    page = json_door.answers(vitals.ListObservationsResponse, "GET", "/v1/observations", person=ada, params=question)
    assert [reading.sequence for reading in page.observations] == [3, 2]
    rest = json_door.answers(
        vitals.ListObservationsResponse,
        "GET",
        "/v1/observations",
        person=ada,
        params={**question, "page_token": page.next_page_token},
    )
    assert [reading.sequence for reading in rest.observations] == [1]
    request = vitals.ListObservationsRequest(code=HEART_RATE, page_size=2, start_at=at(1), end_at=at(4))
    assert ada.calls(front.vitals.ListObservations, request) == page

    newest = json_door.answers(
        vitals.GetLatestObservationsResponse,
        "GET",
        "/v1/observations:latest",
        person=ada,
        params=[("codes", HEART_RATE), ("codes", "8310-5")],
    )
    assert newest == ada.calls(front.vitals.GetLatestObservations, vitals.GetLatestObservationsRequest())


def test_devices_and_their_signals(json_door, front, ada):
    device = {"kind": "DEVICE_KIND_ECG", "platform": "ios", "name": "Strap", "serialNumber": "E-1"}
    made = json_door.answers(vitals.RegisterDeviceResponse, "POST", "/v1/devices", person=ada, json=device)
    assert made.created
    listed = json_door.answers(vitals.ListDevicesResponse, "GET", "/v1/devices", person=ada)
    assert list(listed.devices) == [made.device]

    path = f"/v1/devices/{made.device.id}/samples"
    signal = [{"at": at(n).ToJsonString(), "sequence": str(n), "value": n / 4} for n in range(3)]
    appended = json_door.answers(
        vitals.AppendSamplesResponse, "POST", path, person=ada, json={"metric": "ecg", "samples": signal}
    )
    assert appended.recorded_count == 3
    read = json_door.answers(vitals.ListSamplesResponse, "GET", path, person=ada, params={"metric": "ecg"})
    assert [sample.value for sample in read.samples] == [0, 0.25, 0.5]
    request = vitals.ListSamplesRequest(device_id=made.device.id, metric="ecg")
    assert read == ada.calls(front.vitals.ListSamples, request)


def test_conversations(json_door, front, ada, bob):
    created = json_door.answers(
        chat.CreateSessionResponse, "POST", "/v1/chats", person=ada, json={"title": "Über Puls", "clientId": "c-1"}
    )
    path = f"/v1/chats/{created.session.id}"
    messages = [
        {
            "clientId": "a",
            "role": "ROLE_USER",
            "content": 'Hallo \U0001f44b "quoted" \\ \u2028',
            "metadata": {"n": [1, None, {"x": True}]},
        },
        {"clientId": "b", "role": 2, "content": "Hello"},
    ]
    appended = json_door.answers(
        chat.AppendMessagesResponse, "POST", f"{path}/messages", person=ada, json={"messages": messages}
    )
    read = json_door.answers(chat.ListMessagesResponse, "GET", f"{path}/messages", person=ada, params={"page_size": 10})
    assert list(read.messages) == list(appended.messages)
    assert [message.content for message in read.messages] == [message["content"] for message in messages]
    assert MessageToDict(read.messages[0].metadata) == {"n": [1.0, None, {"x": True}]}
    request = chat.ListMessagesRequest(session_id=created.session.id)
    assert read == ada.calls(front.chat.ListMessages, request)

    found = json_door.answers(chat.GetSessionResponse, "GET", path, person=ada)
    assert found.session.message_count == 2
    listed = json_door.answers(chat.ListSessionsResponse, "GET", "/v1/chats", person=ada)
    assert list(listed.sessions) == [found.session]
    for theirs in (path, f"{path}/messages"):
        json_door.refuses(404, "NOT_FOUND", "GET", theirs, person=bob)


def test_checkpoints(json_door, front, ada, bob):
    ids = [f"1f1eba20-7e4e-6a42-b1ec-5a5e8f46ba1{digit}" for digit in "12"]
    base = "/v1/threads/my%3Athread"
    for id, parent in ((ids[0], ""), (ids[1], ids[0])):
        body = {
            "checkpointId": id,
            "parentCheckpointId": parent,
            "content": {"type": "x", "data": "AAH/"},
            "channels": [{"name": "a", "version": "1", "value": {"type": "y", "data": "eQ=="}}],
            "metadata": '{"run_id": "r"}',
        }
        json_door.answers(checkpoints.PutCheckpointResponse, "POST", f"{base}/checkpoints", person=ada, json=body)
    write = {"taskId": "t", "index": -1, "channel": "__error__", "value": {"type": "z", "data": ""}}
    json_door.answers(
        checkpoints.PutWritesResponse,
        "POST",
        f"{base}/checkpoints/{ids[1]}/writes",
        person=ada,
        json={"writes": [write]},
    )

    read = json_door.answers(checkpoints.GetCheckpointResponse, "GET", f"{base}/checkpoint", person=ada)
    request = checkpoints.GetCheckpointRequest(thread_id="my:thread")
    assert read == ada.calls(front.checkpoints.GetCheckpoint, request)
    assert read.checkpoint.content.data == b"\x00\x01\xff"
    assert read.checkpoint.parent_checkpoint_id == ids[0]
    assert [write.index for write in read.checkpoint.pending_writes] == [-1]
    listed = json_door.answers(
        checkpoints.ListCheckpointsResponse,
        "GET",
        "/v1/checkpoints",
        person=ada,
        params={"threadId": "my:thread", "metadataFilter": '{"run_id":"r"}'},
    )
    assert [kept.checkpoint_id for kept in listed.checkpoints] == ids[::-1]
    assert listed.checkpoints[0] == read.checkpoint
    json_door.refuses(404, "NOT_FOUND", "GET", f"{base}/checkpoint", person=bob)
    json_door.refuses(404, "NOT_FOUND", "DELETE", base, person=bob)

    body = {"targetThreadId": "copy"}
    json_door.answers(checkpoints.CopyThreadResponse, "POST", f"{base}/copies", person=ada, json=body)
    json_door.refuses(409, "ALREADY_EXISTS", "POST", f"{base}/copies", person=ada, json=body)
    body = {"threadIds": ["my:thread"], "strategy": "PRUNE_STRATEGY_KEEP_LATEST"}
    pruned = json_door.answers(
        checkpoints.PruneThreadsResponse, "POST", "/v1/threads:prune", person=ada, json=body
    )
    assert pruned.deleted_count == 1
    gone = json_door.answers(
        checkpoints.DeleteRunsResponse, "POST", "/v1/runs:delete", person=ada, json={"runIds": ["r"]}
    )
    assert gone.deleted_count == 3
    json_door.refuses(404, "NOT_FOUND", "GET", "/v1/threads/copy/checkpoint", person=ada)
    json_door.refuses(404, "NOT_FOUND", "DELETE", "/v1/threads/copy", person=ada)


def test_collections(json_door, front, operator, reader):
    name = f"contract_{secrets.token_hex(6)}"
    body = {"name": name, "modelId": "two-d", "dimension": 2, "metric": "METRIC_COSINE"}
    json_door.refuses(403, "PERMISSION_DENIED", "POST", "/v1/collections", person=reader, json=body)
    created = json_door.answers(vectors.CreateCollectionResponse, "POST", "/v1/collections", person=operator, json=body)
    assert created.created
    listed = json_door.answers(vectors.ListCollectionsResponse, "GET", "/v1/collections", person=reader)
    assert listed == reader.calls(front.vectors.ListCollections, vectors.ListCollectionsRequest())

    path = f"/v1/collections/{name}/documents"
    documents = [
        {"id": "a", "content": "A", "embedding": [1, 0], "metadata": {"kind": "letter"}},
        {"id": "b", "content": "B", "embedding": [0.6, 0.8]},
    ]
    upserted = json_door.answers(
        vectors.UpsertDocumentsResponse,
        "POST",
        path,
        person=operator,
        json={"modelId": "two-d", "documents": documents},
    )
    assert upserted.inserted_count == 2
    question = {"modelId": "two-d", "embedding": [1, 0], "limit": 2, "minPosition": str(upserted.position)}
    answer = json_door.answers(vectors.SearchResponse, "POST", f"{path}:search", person=reader, json=question)
    assert [(match.id, match.content) for match in answer.matches] == [("a", "A"), ("b", "B")]
    assert answer.matches[1].score == pytest.approx(0.6, abs=1e-6)
    filtered = {**question, "filter": {"kind": "letter"}}
    answer = json_door.answers(vectors.SearchResponse, "POST", f"{path}:search", person=reader, json=filtered)
    assert [match.id for match in answer.matches] == ["a"]

    deleted = json_door.answers(
        vectors.DeleteDocumentsResponse, "POST", f"{path}:delete", person=operator, json={"ids": ["a", "z"]}
    )
    assert deleted.deleted_count == 1


def test_the_overview(json_door, gateway, ada):
    seen = json_door.answers(
        gateway_service_pb2.GetPatientOverviewResponse, "GET", "/v1/overview", person=ada, params={"session_limit": 1}
    )
    assert [part.service for part in seen.parts] == ["users", "vitals", "chat", "vectors"]
    assert {part.state for part in seen.parts} == {gateway_service_pb2.PART_STATE_PRESENT}
    assert seen.user == ada.user


def test_the_public_keys_are_published_and_fit_the_tokens(json_door, reader):
    response = json_door.request("GET", "/.well-known/jwks.json")
    assert response.status_code == 200
    keys = {key["kid"]: key for key in response.json()["keys"]}
    used = keys[_header_of(reader.tokens.access_token)["kid"]]
    assert (used["kty"], used["crv"], used["alg"], used["use"]) == ("EC", "P-256", "ES256", "sig")
    assert not any("d" in key for key in keys.values())


def _header_of(token: str) -> dict:
    from client.tokens import decoded

    return decoded(token.split(".")[0])


def test_a_connection_is_kept_for_the_next_request(cluster, json_door, reader):
    with requests.Session() as session:
        session.verify = cluster.authority
        session.trust_env = False
        for _ in range(3):
            response = session.get(
                json_door.root + "/v1/profile",
                headers=dict(people.bearing(reader.tokens.access_token)),
                timeout=people.PATIENCE,
            )
            assert response.headers.get("connection", "keep-alive").lower() != "close"
            assert response.json()["user"]["id"] == reader.user.id
