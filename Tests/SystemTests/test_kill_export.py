"""kill -9 of whatever takes part in an export, while it is under way."""

import pytest
from client import exports as files
from client import people
from client.cluster import SERVICES
from client.exports import FHIR_R4, FINISHED, JSON_LINES, records_of, resources_of
from client.readings import heart_rate
from heartguard.users.v1.exports_service_pb2 import DeleteExportRequest, ListExportsRequest
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest
from processes import kill, pid_of
from waiting import until

READINGS = 20_000


@pytest.fixture(scope="module")
def person(direct):
    """Somebody with readings of some parts of an export."""
    person = people.Lasting(direct.users, people.register(direct.users))
    for start in range(0, READINGS, 1_000):
        readings = [heart_rate(number) for number in range(start, start + 1_000)]
        person.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=readings))
    return person


@pytest.fixture
def measured(direct, person):
    """The same person, who has no exports but the test's."""
    yield person
    for export in person.calls(direct.exports.ListExports, ListExportsRequest()).exports:
        person.calls(direct.exports.DeleteExport, DeleteExportRequest(export_id=export.id))


@pytest.mark.parametrize("format", (JSON_LINES, FHIR_R4), ids=("json lines", "fhir"))
@pytest.mark.parametrize("victim", (*SERVICES, "postgres", "redis_durable"))
def test_an_export_comes_to_its_end_and_has_each_record_once(cluster, direct, measured, victim, format):
    export = files.start(direct, measured, format)
    killed = kill(cluster, victim)
    until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")

    export = files.finished(direct, measured, export.id, within=240)

    assert export.state == FINISHED, export.failure
    content = files.download(direct, measured, export.id)
    found = records_of(content)["vitals.vitals"] if format == JSON_LINES else resources_of(content)["Observation"]
    assert len(found) == len({record["id"] for record in found}) == READINGS


@pytest.mark.parametrize("times", (1, 3))
def test_users_is_killed_amid_the_writing(cluster, direct, measured, times):
    export = files.start(direct, measured)
    for time in range(times):
        until(lambda: files.finished_or_beyond(direct, measured, export.id, (time + 1) << 20), "some of it is written", every=0.01)
        killed = kill(cluster, "users")
        until(lambda: pid_of(cluster, "users") not in (None, killed), "users is started again")

    files.finished(direct, measured, export.id, within=240)

    found = records_of(files.download(direct, measured, export.id))["vitals.vitals"]
    assert len(found) == len({record["id"] for record in found}) == READINGS
