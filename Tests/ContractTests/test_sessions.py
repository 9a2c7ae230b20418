"""Refreshing tokens and logging out."""

import pytest
from client import people
from client.people import PATIENCE, new_password
from client.refusals import invalid, refused
from heartguard.chat.v1.chat_service_pb2 import ListSessionsRequest
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.users.v1.users_service_pb2 import (
    GetProfileRequest,
    LogOutEverywhereRequest,
    LogOutRequest,
    RefreshTokenRequest,
)
from heartguard.vectors.v1.vectors_service_pb2 import ListCollectionsRequest
from heartguard.vitals.v1.vitals_service_pb2 import ListDevicesRequest


def refresh(door, refresh_token: str):
    tokens = door.users.RefreshToken(RefreshTokenRequest(refresh_token=refresh_token), timeout=PATIENCE).tokens
    people.issued_secrets.update((tokens.access_token, tokens.refresh_token))
    return tokens


def test_a_refresh_token_is_traded_for_a_new_pair(door, ada):
    tokens = refresh(door, ada.tokens.refresh_token)
    assert tokens.refresh_token != ada.tokens.refresh_token
    profile = door.users.GetProfile(GetProfileRequest(), metadata=people.bearing(tokens.access_token), timeout=PATIENCE)
    assert profile.user == ada.user


def test_a_refresh_token_that_is_used_twice_ends_its_session(door, ada):
    tokens = refresh(door, ada.tokens.refresh_token)
    with refused("UNAUTHENTICATED"):
        refresh(door, ada.tokens.refresh_token)
    with refused("UNAUTHENTICATED"):
        refresh(door, tokens.refresh_token)
    for access_token in (ada.tokens.access_token, tokens.access_token):
        with refused("UNAUTHENTICATED"):
            door.chat.ListSessions(ListSessionsRequest(), metadata=people.bearing(access_token), timeout=PATIENCE)


def test_a_stolen_refresh_token_ends_no_other_session_of_its_owner(door, ada):
    on_the_phone = people.log_in(door.users, ada.email, ada.password)
    refresh(door, ada.tokens.refresh_token)
    with refused("UNAUTHENTICATED"):
        refresh(door, ada.tokens.refresh_token)
    assert refresh(door, on_the_phone.tokens.refresh_token).access_token


@pytest.mark.parametrize("shape", ["garbage", "cut short", "one letter changed"])
def test_a_refresh_token_that_was_never_given_out_is_refused(door, ada, shape):
    true = ada.tokens.refresh_token
    other = "A" if true[-6] != "A" else "B"
    shown = {"garbage": "garbage", "cut short": true[:-4], "one letter changed": true[:-6] + other + true[-5:]}[shape]
    with refused("UNAUTHENTICATED"):
        refresh(door, shown)
    assert refresh(door, true).access_token


def test_refreshing_needs_a_token(door):
    with invalid("refresh_token"):
        refresh(door, "")


def test_after_logging_out_the_token_is_refused_everywhere(door, front, direct, gateway, json_door, ada):
    ada.calls(door.users.LogOut, LogOutRequest())

    for way in (front, direct):
        for method, request in (
            (way.users.GetProfile, GetProfileRequest()),
            (way.vitals.ListDevices, ListDevicesRequest()),
            (way.chat.ListSessions, ListSessionsRequest()),
            (way.vectors.ListCollections, ListCollectionsRequest()),
            (way.users.LogOut, LogOutRequest()),
        ):
            with refused("UNAUTHENTICATED"):
                ada.calls(method, request)
    with refused("UNAUTHENTICATED"):
        ada.calls(gateway.GetPatientOverview, GetPatientOverviewRequest())
    json_door.refuses(401, "UNAUTHENTICATED", "GET", "/v1/profile", person=ada)


@pytest.mark.parametrize("request_type", [LogOutRequest, LogOutEverywhereRequest])
def test_a_log_out_that_is_made_again_is_told_that_the_session_has_ended(door, ada, request_type):
    log_out = getattr(door.users, request_type.DESCRIPTOR.name.removesuffix("Request"))
    ada.calls(log_out, request_type())
    with refused("UNAUTHENTICATED") as refusal:
        ada.calls(log_out, request_type())
    assert refusal.reason == ("heartguard", "SESSION_ENDED")


def test_after_logging_out_the_refresh_token_is_dead(door, ada):
    ada.calls(door.users.LogOut, LogOutRequest())
    with refused("UNAUTHENTICATED"):
        refresh(door, ada.tokens.refresh_token)


def test_logging_out_ends_one_session_and_leaves_the_others(door, ada):
    on_the_phone = people.log_in(door.users, ada.email, ada.password)
    ada.calls(door.users.LogOut, LogOutRequest())
    assert on_the_phone.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user
    assert people.log_in(door.users, ada.email, ada.password).user == ada.user


def test_who_logs_out_everywhere_is_refused_everywhere_and_may_sign_in_again(door, front, direct, ada):
    on_the_phone = people.log_in(door.users, ada.email, ada.password)
    ada.calls(door.users.LogOutEverywhere, LogOutEverywhereRequest())
    for person in (ada, on_the_phone):
        for way in (front, direct):
            with refused("UNAUTHENTICATED"):
                person.calls(way.chat.ListSessions, ListSessionsRequest())
        with refused("UNAUTHENTICATED"):
            refresh(door, person.tokens.refresh_token)
    again = people.log_in(door.users, ada.email, ada.password)
    assert again.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user


def test_a_failed_sign_in_changes_nothing_for_who_is_signed_in(door, ada):
    with refused("UNAUTHENTICATED"):
        people.log_in(door.users, ada.email, new_password())
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user
