"""kill -9 of whatever takes part in an erasure, while it is under way."""

import pytest
from client.cluster import SERVICES
from client.erasures import finished, verified
from client.readings import heart_rate
from heartguard.users.v1.users_service_pb2 import EraseAccountRequest
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest
from processes import kill, pid_of
from waiting import until

READINGS = 5_000


@pytest.mark.parametrize("victim", (*SERVICES, "postgres", "redis_durable"))
def test_an_erasure_comes_to_its_end_and_counts_each_row_once(cluster, direct, operator, ada, victim):
    for start in range(0, READINGS, 500):
        readings = [heart_rate(number) for number in range(start, start + 500)]
        ada.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=readings))

    erasure = ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password)).erasure
    killed = kill(cluster, victim)
    until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")
    done = finished(direct.users, operator, erasure.id)

    removed = verified(cluster, done.receipt)["removed"]
    assert removed["users"] == {"users": 1, "sessions": 1, "refresh_tokens": 1}
    assert removed["vitals"] == {"timelines": 1, "vitals": READINGS}
