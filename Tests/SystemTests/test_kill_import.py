"""kill -9 of whatever takes part in an import, while it is under way."""

import json
import uuid

import grpc
import pytest
from client import imports as files
from client.cluster import SERVICES
from client.exports import FHIR_R4, resources_of, taken
from client.imports import FINISHED, counted, observation
from processes import kill, pid_of
from waiting import until

READINGS = 3_000


@pytest.fixture(scope="module")
def file() -> bytes:
    """Readings of some parts of an import, with visits among them."""
    entries = []
    for number in range(READINGS):
        reading = observation(str(60 + number % 60), at=f"2024-05-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00Z")
        entries.append(reading)
        if number % 100 == 0:
            visit = {"resourceType": "Encounter", "id": str(uuid.uuid4()), "status": "finished", "class": {"code": "AMB"}}
            visit["period"] = {"start": reading["effectiveDateTime"], "end": reading["effectiveDateTime"]}
            entries.append(visit)
    wrapped = [{"fullUrl": f"urn:uuid:{entry['id']}", "resource": entry} for entry in entries]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": wrapped}).encode()


def expect_whole(direct, person, job):
    assert job.state == FINISHED, job.failure
    # each is counted once, as imported, whoever was killed between keeping it and saying so
    assert counted(job) == {"Observation": (READINGS, 0, 0, 0), "Encounter": (READINGS // 100, 0, 0, 0)}
    told = resources_of(taken(direct, person, FHIR_R4)[1])
    assert len(told["Observation"]) == len({reading["id"] for reading in told["Observation"]}) == READINGS
    assert len(told["Appointment"]) == READINGS // 100


@pytest.mark.parametrize("victim", (*SERVICES, "postgres", "redis_durable"))
def test_an_import_comes_to_its_end_and_has_each_record_once(cluster, direct, ada, file, victim):
    job = files.start(direct, ada, file)
    files.upload(direct, ada, job.id, file)
    until(lambda: _dealt_with(direct, ada, job.id) > 0, "some of it is taken in", every=0.01)
    killed = kill(cluster, victim)
    until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")

    expect_whole(direct, ada, files.ended(direct, ada, job.id, within=240))


def test_users_and_vitals_are_killed_again_and_again(cluster, direct, ada, file):
    job = files.start(direct, ada, file)
    files.upload(direct, ada, job.id, file)
    for time, victim in enumerate(("users", "vitals", "users", "vitals")):
        until(lambda: _dealt_with(direct, ada, job.id) >= (time + 1) * 600, "some of it is taken in", every=0.01)
        killed = kill(cluster, victim)
        until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")

    expect_whole(direct, ada, files.ended(direct, ada, job.id, within=240))


def _dealt_with(direct, person, id: str) -> int:
    """How many entries have been dealt with; all of them, as far as waiting goes, when the import has ended, and none while the service is away."""
    try:
        job = files.get(direct, person, id)
    except grpc.RpcError:
        return 0
    return READINGS * 2 if job.state == FINISHED else job.entry_count
