"""Messages to people: sent by a job when their cause is on record, seen and marked as read by their person alone."""

import threading
import time

import pytest
from client.people import PATIENCE, log_in
from client.refusals import invalid, refused
from heartguard.users.v1 import users_pb2
from heartguard.users.v1.users_service_pb2 import (
    ListNotificationsRequest,
    ListNotificationsResponse,
    MarkNotificationReadRequest,
    MarkNotificationReadResponse,
    RefreshTokenRequest,
)

_never = threading.Event()


@pytest.fixture
def alarmed(direct, ada):
    """Ada, whose refresh token was used twice, signed in again."""
    shown = RefreshTokenRequest(refresh_token=ada.tokens.refresh_token)
    direct.users.RefreshToken(shown, timeout=PATIENCE)
    with refused("UNAUTHENTICATED"):
        direct.users.RefreshToken(shown, timeout=PATIENCE)
    return log_in(direct.users, ada.email, ada.password)


def sent_to(users, person):
    end = time.monotonic() + 60
    while True:
        notifications = person.calls(users.ListNotifications, ListNotificationsRequest()).notifications
        if notifications:
            return notifications
        assert time.monotonic() < end, "nothing was sent within a minute"
        _never.wait(0.1)


def test_a_token_that_is_used_twice_is_told_of(door, alarmed, bob):
    (sent,) = sent_to(door.users, alarmed)
    assert sent.kind == users_pb2.NOTIFICATION_KIND_SECURITY
    assert sent.title and sent.HasField("sent_at") and not sent.HasField("read_at")
    assert not bob.calls(door.users.ListNotifications, ListNotificationsRequest()).notifications

    mark = MarkNotificationReadRequest(notification_id=sent.id)
    with refused("NOT_FOUND"):
        bob.calls(door.users.MarkNotificationRead, mark)
    read = alarmed.calls(door.users.MarkNotificationRead, mark).notification
    assert read.HasField("read_at")
    assert alarmed.calls(door.users.MarkNotificationRead, mark).notification == read
    assert not alarmed.calls(door.users.ListNotifications, ListNotificationsRequest(unread_only=True)).notifications
    assert list(alarmed.calls(door.users.ListNotifications, ListNotificationsRequest()).notifications) == [read]


def test_at_the_json_door(json_door, direct, alarmed):
    (sent,) = sent_to(direct.users, alarmed)
    listed = json_door.answers(
        ListNotificationsResponse, "GET", "/v1/notifications", person=alarmed, params={"unread_only": "true"}
    )
    assert list(listed.notifications) == [sent]
    path = f"/v1/notifications/{sent.id}/read"
    read = json_door.answers(MarkNotificationReadResponse, "POST", path, person=alarmed, json={})
    assert read.notification.id == sent.id


def test_what_makes_no_sense_is_refused(door, ada):
    with invalid("page_size"):
        ada.calls(door.users.ListNotifications, ListNotificationsRequest(page_size=-1))
    with invalid("page_token"):
        ada.calls(door.users.ListNotifications, ListNotificationsRequest(page_token="x"))
    with invalid("notification_id"):
        ada.calls(door.users.MarkNotificationRead, MarkNotificationReadRequest(notification_id="x"))
