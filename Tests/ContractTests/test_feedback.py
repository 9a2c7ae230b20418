"""What people think of answers, and whether what was said holds."""

import hashlib
import uuid

import pytest
from client.refusals import invalid, refused
from heartguard.chat.v1 import feedback_service_pb2 as opinions
from heartguard.chat.v1 import verifications_service_pb2 as findings
from heartguard.chat.v1.chat_service_pb2 import (
    AppendMessagesRequest,
    ArchiveSessionRequest,
    CreateSessionRequest,
    GetSessionRequest,
    ListMessagesRequest,
    ListSessionsRequest,
    NewMessage,
    RenameSessionRequest,
    RestoreSessionRequest,
)

SAID = "Aspirin thins the blood."


@pytest.fixture
def session(door, ada):
    return ada.calls(door.chat.CreateSession, CreateSessionRequest(title="Aspirin")).session.id


@pytest.fixture
def message(door, ada, session):
    new = NewMessage(client_id="a", role="ROLE_ASSISTANT", content=SAID)
    request = AppendMessagesRequest(session_id=session, messages=[new])
    return ada.calls(door.chat.AppendMessages, request).messages[0].id


def give(door, person, session, kind, client_id="1", **fields):
    request = opinions.GiveFeedbackRequest(
        session_id=session, client_id=client_id, kind=f"FEEDBACK_KIND_{kind}", **fields
    )
    return person.calls(door.feedback.GiveFeedback, request).feedback


def given(door, person, session, **fields):
    request = opinions.ListFeedbackRequest(session_id=session, **fields)
    return person.calls(door.feedback.ListFeedback, request)


def test_an_opinion_is_given_changed_and_taken_back(door, ada, bob, session, message):
    up = give(door, ada, session, "THUMBS", rating=1, message_id=message)
    down = give(door, ada, session, "THUMBS", rating=-1, message_id=message, comment="It does more.")
    assert up.id == down.id and down.rating == -1 and down.created_at == up.created_at
    whole = give(door, ada, session, "CORRECTION", client_id="2", correction="It inhibits platelets.")
    assert list(given(door, ada, session).feedback) == [whole, down]
    page = given(door, ada, session, page_size=1)
    rest = given(door, ada, session, page_size=1, page_token=page.next_page_token)
    assert [*page.feedback, *rest.feedback] == [whole, down] and not rest.next_page_token

    for attempt in (
        lambda: given(door, bob, session),
        lambda: give(door, bob, session, "THUMBS", rating=1),
        lambda: give(door, ada, session, "THUMBS", rating=1, message_id=str(uuid.uuid4())),
    ):
        with refused("NOT_FOUND"):
            attempt()
    withdraw = opinions.WithdrawFeedbackRequest(feedback_id=down.id)
    bob.calls(door.feedback.WithdrawFeedback, withdraw)
    assert len(given(door, ada, session).feedback) == 2
    ada.calls(door.feedback.WithdrawFeedback, withdraw)
    assert list(given(door, ada, session).feedback) == [whole]


def test_an_opinion_holds_what_its_kind_needs(door, ada, session):
    for kind, fields, wrong in (
        ("THUMBS", {"rating": 3}, ["rating"]),
        ("RATING", {}, ["rating"]),
        ("CORRECTION", {}, ["correction"]),
        ("REPORT", {"comment": "x" * 4_001}, ["comment"]),
    ):
        with invalid(*wrong):
            give(door, ada, session, kind, **fields)


def verify(door, person, session, message, id=None, **fields):
    source = findings.VerificationSource(collection="vector_medical_knowledge", document_id="T39.0", quote="…")
    request = findings.RecordVerificationRequest(
        session_id=session,
        message_id=message,
        id=id or str(uuid.uuid4()),
        claim=SAID,
        verifier="judge 1.0",
        **{"verdict": "VERDICT_SUPPORTED", "confidence": 0.9, "sources": [source]} | fields,
    )
    return person.calls(door.verifications.RecordVerification, request)


def verified(door, person, session, message):
    request = findings.ListVerificationsRequest(session_id=session, message_id=message)
    return list(person.calls(door.verifications.ListVerifications, request).verifications)


def test_a_claim_is_verified_and_what_was_found_stays(door, ada, bob, session, message):
    id = str(uuid.uuid4())
    first = verify(door, ada, session, message, id=id)
    again = verify(door, ada, session, message, id=id, verdict="VERDICT_UNCLEAR")
    assert first.created and not again.created and again.verification == first.verification
    assert first.verification.content_sha256 == hashlib.sha256(SAID.encode()).digest()
    second = verify(door, ada, session, message, verdict="VERDICT_UNSUPPORTED", sources=[])
    assert verified(door, ada, session, message) == [second.verification, first.verification]
    for attempt in (lambda: verify(door, bob, session, message), lambda: verified(door, bob, session, message)):
        with refused("NOT_FOUND"):
            attempt()
    with invalid("sources"):
        verify(door, ada, session, message, sources=[])
    with invalid("sources[0].uri", "confidence"):
        verify(door, ada, session, message, sources=[findings.VerificationSource(uri="ftp://x")], confidence=-1)


def sessions(door, person, **fields):
    return [session.id for session in person.calls(door.chat.ListSessions, ListSessionsRequest(**fields)).sessions]


def test_a_conversation_is_renamed_put_away_and_taken_back(door, ada, bob, session, message):
    named = ada.calls(door.chat.RenameSession, RenameSessionRequest(session_id=session, title="Blood")).session
    assert named.title == "Blood" and sessions(door, ada) == [session]
    before = ada.calls(door.chat.ListMessages, ListMessagesRequest(session_id=session))

    away = ada.calls(door.chat.ArchiveSession, ArchiveSessionRequest(session_id=session)).session
    assert away.HasField("archived_at") and sessions(door, ada) == [] and sessions(door, ada, archived=True) == [session]
    assert ada.calls(door.chat.ListMessages, ListMessagesRequest(session_id=session)) == before
    # what is thought and found of its messages goes on
    assert give(door, ada, session, "THUMBS", rating=1, message_id=message).message_id == message
    assert verify(door, ada, session, message).created

    for call, request in (
        (door.chat.RenameSession, RenameSessionRequest(session_id=session, title="x")),
        (door.chat.ArchiveSession, ArchiveSessionRequest(session_id=session)),
        (door.chat.RestoreSession, RestoreSessionRequest(session_id=session)),
    ):
        with refused("NOT_FOUND"):
            bob.calls(call, request)
    back = ada.calls(door.chat.RestoreSession, RestoreSessionRequest(session_id=session)).session
    assert not back.HasField("archived_at") and sessions(door, ada) == [session] and sessions(door, ada, archived=True) == []

    ada.calls(door.chat.ArchiveSession, ArchiveSessionRequest(session_id=session))
    more = NewMessage(client_id="b", role="ROLE_USER", content="Why?")
    ada.calls(door.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=[more]))
    found = ada.calls(door.chat.GetSession, GetSessionRequest(session_id=session)).session
    assert found.message_count == 2 and not found.HasField("archived_at")


def test_at_the_json_door(json_door, direct, ada):
    session = ada.calls(direct.chat.CreateSession, CreateSessionRequest()).session.id
    new = NewMessage(client_id="a", role="ROLE_ASSISTANT", content=SAID)
    said = ada.calls(direct.chat.AppendMessages, AppendMessagesRequest(session_id=session, messages=[new])).messages[0]
    chat = f"/v1/chats/{session}"
    body = {"clientId": "1", "kind": "FEEDBACK_KIND_RATING", "rating": 4}
    kept = json_door.answers(opinions.GiveFeedbackResponse, "POST", f"{chat}/feedback", person=ada, json=body)
    listed = json_door.answers(opinions.ListFeedbackResponse, "GET", f"{chat}/feedback", person=ada)
    assert list(listed.feedback) == [kept.feedback]
    json_door.answers(
        opinions.WithdrawFeedbackResponse, "DELETE", f"/v1/feedback/{kept.feedback.id}", person=ada
    )
    path = f"{chat}/messages/{said.id}/verifications"
    body = {"id": str(uuid.uuid4()), "claim": SAID, "verdict": "VERDICT_UNCLEAR", "confidence": 0.5, "verifier": "judge"}
    found = json_door.answers(findings.RecordVerificationResponse, "POST", path, person=ada, json=body)
    listed = json_door.answers(findings.ListVerificationsResponse, "GET", path, person=ada)
    assert list(listed.verifications) == [found.verification]
    for verb in ("title", "archive", "restore"):
        body = {"title": "Blood"} if verb == "title" else {}
        assert json_door.request("POST", f"{chat}/{verb}", person=ada, json=body).json()["session"]["id"] == session
