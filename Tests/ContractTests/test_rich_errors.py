"""google.rpc's details, as PyPI's grpcio-status reads them of every service."""

import uuid

import pytest
from client.people import PATIENCE, new_password
from client.refusals import refused
from heartguard.chat.v1.chat_service_pb2 import GetSessionRequest
from heartguard.users.v1.users_service_pb2 import LogInRequest
from heartguard.vectors.v1.vectors_service_pb2 import SearchRequest
from heartguard.vitals.v1.vitals_service_pb2 import ListSamplesRequest

NOBODYS = str(uuid.UUID(int=7 << 76 | 8 << 60))


def sign_in(door, ada):
    door.users.LogIn(LogInRequest(email=ada.email, password=new_password()), timeout=PATIENCE)


def find_session(door, ada):
    ada.calls(door.chat.GetSession, GetSessionRequest(session_id=NOBODYS))


def search(door, ada):
    request = SearchRequest(collection="no_such_collection", model_id="two-d", embedding=[1, 0], limit=1)
    ada.calls(door.vectors.Search, request)


def read_device(door, ada):
    ada.calls(door.vitals.ListSamples, ListSamplesRequest(device_id=NOBODYS, metric="ppg"))


@pytest.mark.parametrize(
    ("attempt", "domain", "reason"),
    [
        (sign_in, "users.heartguard", "WRONG_CREDENTIALS"),
        (find_session, "chat.heartguard", "SESSION_NOT_FOUND"),
        (search, "vectors.heartguard", "COLLECTION_NOT_FOUND"),
        (read_device, "vitals.heartguard", "NO_SUCH_DEVICE"),
    ],
)
def test_an_error_names_itself_for_programs(door, ada, attempt, domain, reason):
    with refused("UNAUTHENTICATED" if attempt is sign_in else "NOT_FOUND") as refusal:
        attempt(door, ada)
    assert refusal.reason == (domain, reason)
