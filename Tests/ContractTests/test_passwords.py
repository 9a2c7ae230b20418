"""Other passwords, and wrong ones: an address waits behind many, whether it has an account or not."""

from client import people
from client.people import PATIENCE, bearing, log_in, new_email, new_password
from client.refusals import invalid, refused
from client.visits import outcome
from heartguard.chat.v1.chat_service_pb2 import ListSessionsRequest
from heartguard.users.v1.users_service_pb2 import (
    ChangePasswordRequest,
    ChangePasswordResponse,
    GetProfileRequest,
    RefreshTokenRequest,
)

FREE = 11


def change(door, person, current: str, new: str):
    person.calls(door.users.ChangePassword, ChangePasswordRequest(current_password=current, new_password=new))


def test_a_change_ends_every_other_session_everywhere(door, ada):
    elsewhere = log_in(door.users, ada.email, ada.password)
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user
    new = new_password()
    change(door, ada, ada.password, new)

    profile = ada.calls(door.users.GetProfile, GetProfileRequest()).user
    assert profile.id == ada.user.id
    for method, request in ((door.users.GetProfile, GetProfileRequest()), (door.chat.ListSessions, ListSessionsRequest())):
        with refused("UNAUTHENTICATED"):
            method(request, metadata=bearing(elsewhere.tokens.access_token), timeout=PATIENCE)
    with refused("UNAUTHENTICATED"):
        door.users.RefreshToken(RefreshTokenRequest(refresh_token=elsewhere.tokens.refresh_token), timeout=PATIENCE)
    with refused("UNAUTHENTICATED"):
        log_in(door.users, ada.email, ada.password)
    # What is shown from a cache is not older than the change.
    assert log_in(door.users, ada.email, new).user == profile


def test_the_current_one_is_needed(door, ada):
    with refused("UNAUTHENTICATED") as refusal:
        change(door, ada, new_password(), new_password())
    assert refusal.reason == ("users.heartguard", "WRONG_CREDENTIALS")
    with invalid("current_password", "new_password"):
        change(door, ada, "", "short")
    assert log_in(door.users, ada.email, ada.password).user == ada.user


def test_operators_have_theirs_in_the_settings(door, operator):
    with refused("FAILED_PRECONDITION"):
        change(door, operator, operator.password, new_password())


def test_many_wrong_ones_have_an_address_wait_with_an_account_or_without(door, ada):
    nobody = new_email()
    for email in (ada.email, nobody):
        outcomes = [outcome(lambda: log_in(door.users, email, new_password())) for _ in range(FREE)]
        assert outcomes == ["UNAUTHENTICATED"] * FREE
    waits = []
    for email in (ada.email, nobody):
        # The wait of the eleventh is a second. Whoever is slow to ask has the next one, of two, when it is over.
        while outcome(lambda: log_in(door.users, email, new_password())) != "RESOURCE_EXHAUSTED":
            pass
        with refused("RESOURCE_EXHAUSTED") as refusal:
            log_in(door.users, email, ada.password)
        assert refusal.reason == ("users.heartguard", "TOO_MANY_PASSWORDS")
        assert 0 < refusal.retry_seconds <= 900
        waits.append(refusal.message)
    assert waits[0] == waits[1]
    # Who is signed in stays so.
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user


def test_at_the_json_door(json_door, front, ada):
    new = people.new_password()
    body = {"currentPassword": ada.password, "newPassword": new}
    json_door.answers(ChangePasswordResponse, "POST", "/v1/profile:changePassword", person=ada, json=body)
    json_door.refuses(401, "UNAUTHENTICATED", "POST", "/v1/profile:changePassword", person=ada, json=body)
    assert log_in(front.users, ada.email, new).user.id == ada.user.id
