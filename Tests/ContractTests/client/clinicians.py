"""Clinicians, and the patients who let them in."""

import datetime
import uuid

from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.policy.v1 import policy_pb2
from heartguard.users.v1 import roles_service_pb2
from heartguard.users.v1.care_grants_service_pb2 import CareGrant, GrantAccessRequest, RevokeGrantRequest
from heartguard.users.v1.roles_service_pb2 import AssignRoleRequest

from client import people
from client.people import Person

HEADER = "heartguard-patient"
SCOPES = [value for value in policy_pb2.CareScope.values() if value]
NAMES = policy_pb2.CareScope.Name


def made_clinician(direct, operator, person: Person | None = None) -> Person:
    """Somebody whom an operator has made a clinician, signed in as one."""
    person = person or people.register(direct.users, name="Dr. Cora Carter")
    request = AssignRoleRequest(user_id=person.user.id, role=roles_service_pb2.ACCOUNT_ROLE_CLINICIAN)
    assert operator.calls(direct.roles.AssignRole, request).role == request.role
    return people.log_in(direct.users, person.email, person.password)


def acting(clinician: Person, patient: Person | str) -> list[tuple[str, str]]:
    """The metadata of a call that a clinician makes for a patient."""
    return [*clinician.metadata, (HEADER, patient if isinstance(patient, str) else patient.user.id)]


def from_now(**time) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(**time))
    return moment


def wish(clinician: Person | str, *scopes: int, **fields) -> GrantAccessRequest:
    """The request that lets a clinician in, who is named by e-mail if it is a text."""
    named = {"clinician_email": clinician} if isinstance(clinician, str) else {"clinician_id": clinician.user.id}
    usual = dict(id=str(uuid.uuid4()), scopes=scopes, purpose="Follow-up", expires_at=from_now(days=30))
    return GrantAccessRequest(**{**usual, **named, **fields})


def let_in(door, patient: Person, clinician: Person | str, *scopes: int, **fields) -> CareGrant:
    return patient.calls(door.care_grants.GrantAccess, wish(clinician, *scopes, **fields)).grant


def revoke(door, patient: Person, grant: CareGrant) -> CareGrant:
    return patient.calls(door.care_grants.RevokeGrant, RevokeGrantRequest(grant_id=grant.id)).grant


def covers(granted: int, wanted) -> bool:
    """Whether a scope lets its holder into a method that wants any of these: who may write may read."""
    name = NAMES(granted)
    implied = {granted} | ({policy_pb2.CareScope.Value(name.replace("_WRITE", "_READ"))} if name.endswith("_WRITE") else set())
    return bool(implied & set(wanted))
