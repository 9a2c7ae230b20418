"""What is new of a person, as it comes, and where it goes on."""

import contextlib
import time

import grpc
import pytest
from client import tokens
from client.people import PATIENCE, bearing
from client.readings import heart_rate, quantity
from client.refusals import invalid, refused
from heartguard.vitals.v1.live_service_pb2 import SubscribeRequest
from heartguard.vitals.v1.vitals_service_pb2 import CorrectObservationRequest, RecordObservationsRequest
from test_alerts import create, record


@contextlib.contextmanager
def subscribed(door, person, token=""):
    """A subscription, and the token that it began with."""
    stream = door.live.Subscribe(
        SubscribeRequest(resume_token=token), metadata=person.metadata, timeout=8 * PATIENCE
    )
    try:
        yield stream, next(stream).resume_token
    finally:
        stream.cancel()


def send(door, person, *numbers):
    readings = [heart_rate(number) for number in numbers]
    return list(person.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=readings)).ids)


def test_readings_and_alerts_come_in_the_order_in_which_they_were_made(door, ada, bob):
    create(door, ada)
    with subscribed(door, ada) as (stream, _), subscribed(door, bob) as (others, _):
        first, second = record(door, ada, [100, 130])
        news = [next(stream) for _ in range(3)]
        assert [event.observation.id for event in news[:2]] == [first, second]
        assert news[2].alert.observation_id == second
        send(door, bob, 7)
        assert next(others).observation.sequence == 7


def test_who_goes_on_misses_nothing_and_gets_nothing_twice(door, front, direct, ada):
    with subscribed(door, ada) as (stream, _):
        sent = send(door, ada, *range(10))
        seen = [next(stream) for _ in range(4)]
    sent += send(door, ada, *range(10, 500))
    # at the other door, which is another way to the same
    elsewhere = direct if door is front else front
    with subscribed(elsewhere, ada, seen[-1].resume_token) as (stream, _):
        seen += [next(stream) for _ in range(496)]
        sent += send(door, ada, 500)
        seen.append(next(stream))
    assert [event.observation.id for event in seen] == sent


def test_what_is_changed_comes_again_as_it_is_then(door, ada):
    (reading,) = send(door, ada, 1)
    with subscribed(door, ada) as (stream, _):
        change = CorrectObservationRequest(
            observation_id=reading, expected_version=1, quantity=quantity("90", "/min")
        )
        ada.calls(door.vitals.CorrectObservation, change)
        news = next(stream)
        assert (news.observation.id, news.observation.version) == (reading, 2)


def test_a_token_has_to_be_one(door, ada):
    for token in ("garbage", "bGl2ZQ"):
        with invalid("resume_token"):
            next(door.live.Subscribe(SubscribeRequest(resume_token=token), metadata=ada.metadata, timeout=PATIENCE))


def test_nobody_listens_without_a_token(door):
    with refused("UNAUTHENTICATED"):
        next(door.live.Subscribe(SubscribeRequest(), timeout=PATIENCE))


def test_it_ends_when_the_access_token_does(cluster, door, ada):
    forger = tokens.Forger(cluster, ada.tokens.access_token)
    metadata = bearing(forger.token(claims={"exp": int(time.time()) + 4}))
    began = time.monotonic()
    answers = list(door.live.Subscribe(SubscribeRequest(), metadata=metadata, timeout=2 * PATIENCE))
    assert answers[-1].resume_token
    assert 1 < time.monotonic() - began < PATIENCE


def test_who_hangs_up_is_gone(door, ada):
    with subscribed(door, ada) as (stream, _):
        pass
    with pytest.raises(grpc.RpcError) as ended:
        next(stream)
    assert ended.value.code() == grpc.StatusCode.CANCELLED
