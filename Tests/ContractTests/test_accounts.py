"""Registering, signing in, and the profile."""

import datetime
import uuid

import pytest
from client import people
from client.people import PATIENCE, new_email, new_password
from client.refusals import invalid, refused
from heartguard.users.v1 import users_pb2
from heartguard.users.v1.users_service_pb2 import (
    GetProfileRequest,
    LogInRequest,
    RegisterRequest,
    UpdateProfileRequest,
)


def register(door, **fields):
    request = RegisterRequest(**{"email": new_email(), "password": new_password(), "name": "Ada Lovelace", **fields})
    return door.users.Register(request, timeout=PATIENCE)


def test_registering_opens_an_account_and_signs_it_in(door):
    email = new_email()
    answer = register(door, email=email, name="  Ada Lovelace ")

    assert answer.user.email == email
    assert answer.user.name == "Ada Lovelace"
    assert answer.user.time_zone == "UTC"
    assert answer.user.version == 1
    assert uuid.UUID(answer.user.id).version == 7
    now = datetime.datetime.now(datetime.UTC)
    assert answer.user.created_at.ToDatetime(datetime.UTC) <= now + datetime.timedelta(minutes=1)
    access_ends = answer.tokens.access_token_expires_at.ToDatetime(datetime.UTC)
    assert now < access_ends < answer.tokens.refresh_token_expires_at.ToDatetime(datetime.UTC)

    profile = door.users.GetProfile(
        GetProfileRequest(), metadata=people.bearing(answer.tokens.access_token), timeout=PATIENCE
    )
    assert profile.user == answer.user


def test_what_is_left_out_stays_absent(door):
    user = register(door).user
    assert not any(user.HasField(field) for field in ("phone", "avatar_url", "birth_date"))
    assert user.sex == users_pb2.SEX_UNSPECIFIED


def test_the_whole_profile_is_kept_as_it_was_given(door):
    given = dict(phone="+4930123456", birth_date="1984-02-29", sex=users_pb2.SEX_FEMALE, time_zone="Europe/Berlin")
    user = register(door, name="Zoë Ångström-李", **given).user
    assert user.name == "Zoë Ångström-李"
    assert {field: getattr(user, field) for field in given} == given


def test_every_field_that_is_wrong_is_named_at_once(door):
    with invalid("email", "password", "name", "phone", "birth_date", "sex", "time_zone"):
        register(
            door,
            email="nobody",
            password="too short",
            name="   ",
            phone="030 123456",
            birth_date="1985-02-29",
            sex=99,
            time_zone="Mars/Olympus",
        )


@pytest.mark.parametrize("length", [11, 257])
def test_a_password_has_12_to_256_characters(door, length):
    with invalid("password"):
        register(door, password="x" * length)


def test_nobody_is_born_tomorrow(door):
    later = datetime.date.today() + datetime.timedelta(days=3)
    with invalid("birth_date"):
        register(door, birth_date=later.isoformat())


def test_an_address_has_one_account_however_it_is_written(door, ada):
    with refused("ALREADY_EXISTS"):
        register(door, email=ada.email.upper())


def test_signing_in_gives_new_tokens_for_the_same_account(door, ada):
    again = people.log_in(door.users, ada.email.upper(), ada.password)
    assert again.user == ada.user
    assert again.tokens.access_token != ada.tokens.access_token
    assert again.tokens.refresh_token != ada.tokens.refresh_token


def test_a_wrong_password_and_an_unknown_address_look_the_same(door, ada):
    with refused("UNAUTHENTICATED") as wrong_password:
        people.log_in(door.users, ada.email, new_password())
    with refused("UNAUTHENTICATED") as unknown_address:
        people.log_in(door.users, new_email(), new_password())
    assert wrong_password.message == unknown_address.message


def test_signing_in_needs_an_address_and_a_password(door):
    with invalid("email", "password"):
        door.users.LogIn(LogInRequest(), timeout=PATIENCE)


def test_a_profile_changes_only_in_what_is_sent(door, ada):
    change = UpdateProfileRequest(phone="+4930123456", avatar_url="https://pictures.test/ada.png", sex="SEX_FEMALE")
    changed = ada.calls(door.users.UpdateProfile, change).user
    assert changed.name == ada.user.name
    assert changed.phone == "+4930123456"
    assert changed.avatar_url == "https://pictures.test/ada.png"
    assert changed.sex == users_pb2.SEX_FEMALE
    assert changed.version == ada.user.version + 1
    assert changed.created_at == ada.user.created_at
    assert changed.updated_at.ToNanoseconds() > ada.user.updated_at.ToNanoseconds()
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == changed


def test_an_empty_text_removes_what_may_be_absent(door, ada):
    ada.calls(door.users.UpdateProfile, UpdateProfileRequest(phone="+4930123456", birth_date="1984-02-29"))
    changed = ada.calls(door.users.UpdateProfile, UpdateProfileRequest(phone="")).user
    assert not changed.HasField("phone")
    assert changed.birth_date == "1984-02-29"


def test_a_mask_says_what_is_changed(door, ada):
    ada.calls(door.users.UpdateProfile, UpdateProfileRequest(phone="+4930123456", birth_date="1984-02-29"))
    change = UpdateProfileRequest(name="Ada King", birth_date="1984-03-01", update_mask={"paths": ["name", "phone"]})
    changed = ada.calls(door.users.UpdateProfile, change).user
    assert changed.name == "Ada King" and not changed.HasField("phone") and changed.birth_date == "1984-02-29"
    with invalid("update_mask"):
        ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name="Ada", update_mask={"paths": ["name", "version"]}))
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == changed


def test_a_change_of_what_was_read_long_ago_is_aborted(door, ada):
    ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name="Ada King", expected_version=1))
    with refused("ABORTED"):
        ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name="Ada Byron", expected_version=1))
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user.name == "Ada King"


def test_a_change_with_one_wrong_field_changes_nothing(door, ada):
    with invalid("name", "avatar_url", "time_zone"):
        change = UpdateProfileRequest(
            name="", avatar_url="http://pictures.test/ada.png", time_zone="CEST", phone="+4930123456"
        )
        ada.calls(door.users.UpdateProfile, change)
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user == ada.user


def test_each_reads_and_changes_their_own_profile(door, ada, bob):
    ada.calls(door.users.UpdateProfile, UpdateProfileRequest(name="Ada King"))
    assert bob.calls(door.users.GetProfile, GetProfileRequest()).user == bob.user
    assert ada.calls(door.users.GetProfile, GetProfileRequest()).user.id == ada.user.id
