"""Letting clinicians in: what patients say, and what each side is shown of it."""

import uuid

import pytest
from client import people
from client.clinicians import from_now, let_in, made_clinician, revoke, wish
from client.people import new_email, register
from client.refusals import invalid, refused
from heartguard.policy.v1 import policy_pb2
from heartguard.users.v1 import roles_service_pb2
from heartguard.users.v1.care_grants_service_pb2 import (
    GrantAccessResponse,
    ListGrantsRequest,
    ListGrantsResponse,
    ListPatientsRequest,
    ListPatientsResponse,
    RevokeGrantRequest,
    RevokeGrantResponse,
)
from heartguard.users.v1.roles_service_pb2 import AssignRoleRequest, AssignRoleResponse
from heartguard.users.v1.users_service_pb2 import ChangePasswordRequest, GetProfileRequest

VITALS_READ = policy_pb2.CARE_SCOPE_VITALS_READ
VITALS_WRITE = policy_pb2.CARE_SCOPE_VITALS_WRITE
CHAT_READ = policy_pb2.CARE_SCOPE_CHAT_READ
CLINICIAN = roles_service_pb2.ACCOUNT_ROLE_CLINICIAN


@pytest.fixture(scope="module")
def cora(direct, operator):
    return made_clinician(direct, operator)


def grants(door, person, **fields):
    return list(person.calls(door.care_grants.ListGrants, ListGrantsRequest(**fields)).grants)


def patients(door, person, **fields):
    return list(person.calls(door.care_grants.ListPatients, ListPatientsRequest(**fields)).patients)


def test_a_grant_is_kept_as_it_was_given(door, cora, ada):
    request = wish(cora, VITALS_WRITE, CHAT_READ, CHAT_READ, purpose="After the operation")
    grant = ada.calls(door.care_grants.GrantAccess, request).grant
    assert (grant.id, grant.clinician_id, grant.purpose) == (request.id, cora.user.id, "After the operation")
    # who may write may read
    assert list(grant.scopes) == [VITALS_READ, VITALS_WRITE, CHAT_READ]
    assert grant.expires_at.ToMicroseconds() == request.expires_at.ToMicroseconds()
    assert grant.HasField("granted_at") and not grant.HasField("revoked_at")
    assert grants(door, ada) == [grant]


def test_the_same_request_again_is_the_same_grant(door, cora, ada, bob):
    request = wish(cora, VITALS_READ)
    first = ada.calls(door.care_grants.GrantAccess, request)
    assert ada.calls(door.care_grants.GrantAccess, request) == first
    request.purpose = "Something else"
    with refused("ALREADY_EXISTS"):
        ada.calls(door.care_grants.GrantAccess, request)
    # ids are each patient's own
    assert bob.calls(door.care_grants.GrantAccess, request).grant.id == first.grant.id
    assert grants(door, ada) == [first.grant]


def test_history_is_added_to_and_never_changed(door, cora, ada):
    first = let_in(door, ada, cora, VITALS_READ)
    second = let_in(door, ada, cora, CHAT_READ)
    ended = revoke(door, ada, second)
    assert ended.HasField("revoked_at")
    assert revoke(door, ada, second) == ended
    third = let_in(door, ada, cora, VITALS_READ)
    known = {grant.id: grant for grant in grants(door, ada)}
    assert set(known) == {first.id, second.id, third.id}
    # it made way for the second
    assert known[first.id].HasField("revoked_at") and known[first.id].scopes == first.scopes
    assert known[second.id] == ended
    assert known[third.id] == third


def test_whether_there_is_such_a_clinician_is_not_told(door, direct, cora, bob):
    """A clinician, somebody who is none, and nobody: the answers differ in what the patient has said alone."""

    def told(clinician):
        person = register(direct.users)
        first = let_in(door, person, clinician, VITALS_READ, purpose="One")
        let_in(door, person, clinician, VITALS_READ, purpose="Two")
        listed = [grant for grant in grants(door, person) if grant.purpose == "One"]
        parts = [first, *listed]
        return [{field.name for field, _ in part.ListFields()} for part in parts]

    assert told(cora.email.upper()) == told(bob.email) == told(new_email())
    stranger = people.register(direct.users)
    for missing in (stranger.user.id, str(uuid.uuid4())):
        request = wish(cora, VITALS_READ, clinician_id=missing)
        assert bob.calls(door.care_grants.GrantAccess, request).grant.clinician_id == missing


def test_a_clinician_sees_who_has_let_them_in(door, direct, operator):
    cora = made_clinician(direct, operator)
    assert patients(door, cora) == []
    known = [register(direct.users, name=f"Patient {number}") for number in range(3)]
    for patient in known:
        let_in(door, patient, cora, VITALS_READ)
    # once more, by e-mail: both stand, and together they are one patient
    longer = let_in(door, known[0], cora.email, CHAT_READ, expires_at=from_now(days=300))
    listed = patients(door, cora)
    assert {patient.user_id: patient.name for patient in listed} == {person.user.id: person.user.name for person in known}
    (first,) = [patient for patient in listed if patient.user_id == known[0].user.id]
    assert list(first.scopes) == [VITALS_READ, CHAT_READ] and first.expires_at == longer.expires_at

    seen, token = [], ""
    while True:
        page = cora.calls(door.care_grants.ListPatients, ListPatientsRequest(page_size=2, page_token=token))
        seen += page.patients
        token = page.next_page_token
        if not token:
            break
    assert seen == listed == sorted(listed, key=lambda patient: patient.user_id)
    for grant in grants(door, known[0]):
        revoke(door, known[0], grant)
    assert {patient.user_id for patient in patients(door, cora)} == {person.user.id for person in known[1:]}
    with invalid("page_token"):
        patients(door, cora, page_token=known[0].calls(
            door.care_grants.ListGrants, ListGrantsRequest(page_size=1)
        ).next_page_token)


def test_grants_are_nobody_elses(door, cora, ada, bob):
    grant = let_in(door, ada, cora, VITALS_READ)
    assert grants(door, bob) == [] and grants(door, cora) == [] and patients(door, bob) == []
    for other in (bob, cora):
        with refused("NOT_FOUND"):
            revoke(door, other, grant)
    assert grants(door, ada) == [grant]
    with refused("NOT_FOUND"):
        ada.calls(door.care_grants.RevokeGrant, RevokeGrantRequest(grant_id=str(uuid.uuid4())))


def test_what_is_wrong_with_a_grant_is_said_field_by_field(door, cora, ada):
    for fields, wrong in [
        (dict(id="1"), "id"),
        (dict(clinician_id="1"), "clinician_id"),
        (dict(clinician_email="nobody"), "clinician_email"),
        (dict(clinician_id=ada.user.id), "clinician_id"),
        (dict(purpose=""), "purpose"),
        (dict(purpose="x" * 201), "purpose"),
        (dict(scopes=[]), "scopes"),
        (dict(scopes=[VITALS_READ] * 33), "scopes"),
        (dict(scopes=[VITALS_READ, 0]), "scopes[1]"),
        (dict(scopes=[99]), "scopes[0]"),
        (dict(expires_at=from_now(seconds=-1)), "expires_at"),
        (dict(expires_at=from_now(days=367)), "expires_at"),
        (dict(expires_at=None), "expires_at"),
    ]:
        with invalid(wrong):
            let_in(door, ada, cora, *([] if "scopes" in fields else [VITALS_READ]), **fields)
    request = wish(cora, VITALS_READ)
    request.ClearField("clinician")
    with invalid("clinician"):
        ada.calls(door.care_grants.GrantAccess, request)
    with invalid("grant_id"):
        ada.calls(door.care_grants.RevokeGrant, RevokeGrantRequest(grant_id="1"))
    with invalid("page_size"):
        grants(door, ada, page_size=-1)
    assert grants(door, ada) == []


def test_fifty_grants_stand_at_a_time(direct, ada):
    names = [new_email() for _ in range(50)]
    for name in names:
        let_in(direct, ada, name, VITALS_READ)
    with refused("RESOURCE_EXHAUSTED"):
        let_in(direct, ada, new_email(), VITALS_READ)
    # in the place of another there is room
    let_in(direct, ada, names[7], CHAT_READ)
    revoke(direct, ada, grants(direct, ada)[3])
    seen = []
    token = ""
    while True:
        page = ada.calls(direct.care_grants.ListGrants, ListGrantsRequest(page_size=20, page_token=token))
        seen += page.grants
        token = page.next_page_token
        if not token:
            break
    assert len({grant.id for grant in seen}) == 51


def test_the_json_door(json_door, front, cora, ada):
    body = {
        "id": str(uuid.uuid4()),
        "clinicianEmail": cora.email,
        "scopes": ["CARE_SCOPE_VITALS_READ"],
        "purpose": "Follow-up",
        "expiresAt": from_now(days=1).ToJsonString(),
    }
    given = json_door.answers(GrantAccessResponse, "POST", "/v1/careGrants", person=ada, json=body).grant
    listed = json_door.answers(ListGrantsResponse, "GET", "/v1/careGrants", person=ada)
    assert list(listed.grants) == [given] == grants(front, ada)
    mine = json_door.answers(ListPatientsResponse, "GET", "/v1/patients", person=cora, params={"pageSize": 100})
    assert ada.user.id in [patient.user_id for patient in mine.patients]
    path = f"/v1/careGrants/{given.id}/revoke"
    assert json_door.answers(RevokeGrantResponse, "POST", path, person=ada, json={}).grant.HasField("revoked_at")


# Roles -----------------------------------------------------------------------------------------------------------


def test_an_operator_says_who_is_a_clinician(door, json_door, operator, ada):
    with refused("PERMISSION_DENIED"):
        ada.calls(door.roles.AssignRole, AssignRoleRequest(user_id=ada.user.id, role=CLINICIAN))
    answer = operator.calls(door.roles.AssignRole, AssignRoleRequest(email=ada.email, role=CLINICIAN))
    assert (answer.user_id, answer.role) == (ada.user.id, CLINICIAN)
    # what was signed in as something else is signed in no more
    with refused("UNAUTHENTICATED"):
        ada.calls(door.users.GetProfile, GetProfileRequest())
    again = people.log_in(door.users, ada.email, ada.password)
    assert again.calls(door.users.GetProfile, GetProfileRequest()).user.id == ada.user.id
    # the same role again changes nothing
    body = {"userId": ada.user.id, "role": "ACCOUNT_ROLE_CLINICIAN"}
    assert json_door.answers(AssignRoleResponse, "POST", "/v1/users:assignRole", person=operator, json=body) == answer
    again.calls(door.users.GetProfile, GetProfileRequest())
    # a clinician has a password of their own, as a user has
    new = people.new_password()
    again.calls(door.users.ChangePassword, ChangePasswordRequest(current_password=ada.password, new_password=new))


def test_who_has_no_other_role(door, operator, ada):
    with refused("FAILED_PRECONDITION"):
        operator.calls(door.roles.AssignRole, AssignRoleRequest(user_id=operator.user.id, role=CLINICIAN))
    for request in (
        AssignRoleRequest(user_id=str(uuid.uuid4()), role=CLINICIAN),
        AssignRoleRequest(email=new_email(), role=CLINICIAN),
    ):
        with refused("NOT_FOUND"):
            operator.calls(door.roles.AssignRole, request)
    with invalid("account", "role"):
        operator.calls(door.roles.AssignRole, AssignRoleRequest())
    with invalid("user_id", "role"):
        operator.calls(door.roles.AssignRole, AssignRoleRequest(user_id="ada", role=99))
