"""The one method that asks all four services."""

import uuid

import pytest
from client import people
from client.people import PATIENCE
from client.readings import GLUCOSE, HEART_RATE, glucose, heart_rate
from client.refusals import invalid, refused
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest
from heartguard.gateway.v1 import gateway_service_pb2
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.vectors.v1.vectors_service_pb2 import ListCollectionsRequest
from heartguard.vitals.v1.vitals_service_pb2 import GetLatestObservationsRequest, RecordObservationsRequest


def overview(gateway, person, **fields):
    return person.calls(gateway.GetPatientOverview, GetPatientOverviewRequest(**fields))


def test_all_parts_are_there(gateway, ada):
    parts = overview(gateway, ada).parts
    assert [part.service for part in parts] == ["users", "vitals", "chat", "vectors"]
    assert {part.state for part in parts} == {gateway_service_pb2.PART_STATE_PRESENT}
    assert all(part.elapsed_microseconds > 0 for part in parts)


def test_it_says_what_each_service_says(gateway, front, ada):
    batch = [heart_rate(1), heart_rate(2), glucose(1)]
    ada.calls(front.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
    session = ada.calls(front.chat.CreateSession, CreateSessionRequest(title="About my pulse")).session

    seen = overview(gateway, ada)
    assert seen.user == ada.user
    newest = ada.calls(front.vitals.GetLatestObservations, GetLatestObservationsRequest()).observations
    assert list(seen.latest_observations) == list(newest)
    assert [reading.code for reading in newest] == sorted([HEART_RATE, GLUCOSE])
    assert list(seen.recent_sessions) == [session]
    known = ada.calls(front.vectors.ListCollections, ListCollectionsRequest()).collections
    assert [collection.id for collection in seen.collections] == [collection.id for collection in known]


@pytest.mark.parametrize(("asked", "given"), [(0, 5), (1, 1), (20, 7)])
def test_it_holds_as_many_conversations_as_are_asked_for(gateway, front, ada, asked, given):
    made = [ada.calls(front.chat.CreateSession, CreateSessionRequest(title=f"{n}")).session.id for n in range(7)]
    seen = overview(gateway, ada, session_limit=asked)
    assert [session.id for session in seen.recent_sessions] == made[::-1][:given]


@pytest.mark.parametrize("limit", [-1, 21])
def test_the_number_of_conversations_has_its_limits(gateway, reader, limit):
    with invalid("session_limit"):
        overview(gateway, reader, session_limit=limit)


def test_it_is_the_callers_own(gateway, front, ada, bob):
    ada.calls(front.vitals.RecordObservations, RecordObservationsRequest(observations=[heart_rate(1)]))
    ada.calls(front.chat.CreateSession, CreateSessionRequest(title="Private"))
    seen = overview(gateway, bob)
    assert seen.user == bob.user
    assert not seen.latest_observations
    assert not seen.recent_sessions


def test_it_needs_a_token(gateway):
    for metadata in (None, people.bearing(str(uuid.uuid4()))):
        with refused("UNAUTHENTICATED"):
            gateway.GetPatientOverview(GetPatientOverviewRequest(), metadata=metadata, timeout=PATIENCE)


def test_no_service_answers_it_but_the_gateway(cluster, reader):
    from heartguard.gateway.v1.gateway_service_pb2_grpc import GatewayServiceStub

    for service in ("users", "vitals", "chat", "vectors"):
        with refused("UNIMPLEMENTED"):
            reader.calls(GatewayServiceStub(cluster.channel(service)).GetPatientOverview, GetPatientOverviewRequest())
