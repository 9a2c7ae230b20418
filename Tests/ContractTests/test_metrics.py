"""What every program tells an operator's tools, in Prometheus' text format and in that of OpenMetrics."""

import re
import time
import urllib.request

import pytest
from client import people, prometheus
from client.accesses import Trace
from client.cluster import EVERYWHERE
from client.people import PATIENCE
from heartguard.users.v1.users_service_pb2 import GetProfileRequest, LogInRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

# What would be a series a person: ids, addresses, numbers that were given out.
PERSONAL = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|@|[0-9]{7,}")
POOL = ["active_connections", "idle_connections", "connections", "max_connections", "waiting_callers", "utilisation_ratio"]


@pytest.fixture(params=EVERYWHERE)
def program(request):
    return request.param


def metrics(cluster, program):
    with urllib.request.urlopen(cluster.metrics_url(program), timeout=PATIENCE) as answer:
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        return prometheus.parse(answer.read().decode())


def openmetrics(cluster, program):
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1"
    request = urllib.request.Request(cluster.metrics_url(program), headers={"accept": accept})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def exemplars(family):
    return [(sample, sample.exemplar) for sample in family.samples if sample.exemplar]


def test_openmetrics_has_the_same_families(cluster, program):
    names = {name.removesuffix("_total") for name in metrics(cluster, program)}
    assert set(openmetrics(cluster, program)) == names


def test_a_bucket_names_the_trace_of_a_call_and_of_its_statements(cluster, direct):
    person, trace = people.register(direct.users), Trace()
    request = LogInRequest(email=person.email, password=person.password)
    people.issued_secrets.add(direct.users.LogIn(request, metadata=trace.metadata, timeout=PATIENCE).tokens.refresh_token)

    # A call is counted when it has ended, of which its caller may hear first.
    end, found = time.monotonic() + PATIENCE, {}
    while set(found) != {"heartguard_rpc_call_duration_seconds", "heartguard_db_statement_duration_seconds"}:
        assert time.monotonic() < end, f"only {set(found)} name the trace"
        families = openmetrics(cluster, "users")
        seen = [(name, *each) for name, family in families.items() for each in exemplars(family)]
        found = {name: sample for name, sample, exemplar in seen if exemplar.labels == {"trace_id": trace.id}}

    assert found["heartguard_rpc_call_duration_seconds"].labels["method"] == "heartguard.users.v1.UsersService/LogIn"
    for _, sample, exemplar in seen:
        assert set(exemplar.labels) == {"trace_id"}
        assert 0 <= exemplar.value <= float(sample.labels["le"])
        assert abs(float(exemplar.timestamp) - time.time()) < 86_400


def test_all_is_as_prometheus_has_it(cluster, program):
    families = metrics(cluster, program)
    assert families
    assert [complaint for family in families.values() for complaint in prometheus.complaints(family)] == []


def test_the_four_monitors_are_there(cluster, program):
    families = metrics(cluster, program)
    stores = {dict(labels)["store"]: value for (_, labels), value in families["heartguard_store_up"].samples.items()}
    expected = {"redis_cache", "redis_durable"} | ({"postgres"} if program != "gateway" else set())
    assert stores == dict.fromkeys(expected, 1)
    pools = {"postgres", "postgres_audit"} if program != "gateway" else set()
    for name in POOL:
        assert {dict(labels)["pool"] for _, labels in families[f"heartguard_db_pool_{name}"].samples} == pools
    statements = families["heartguard_db_statement_duration_seconds"].samples
    assert bool(statements) == (program != "gateway")
    assert {dict(labels)["stage"] for _, labels in families["heartguard_db_slow_queries_total"].samples} == {"pool", "server"}


def test_people_make_no_series(cluster, program, direct):
    for number in range(10):
        person = people.register(direct.users, name=f"Person {number}")
        person.calls(direct.users.GetProfile, GetProfileRequest())

    families = metrics(cluster, program)

    labels = {label for family in families.values() for _, labels in family.samples for label in labels}
    # A fingerprint is the name of a statement, which are as many as the program has, and a collection is named by its operator.
    values = {value for key, value in labels if key not in ("fingerprint", "collection", "le")}
    assert [value for value in values if PERSONAL.search(value)] == []
    assert len({value for key, value in labels if key == "fingerprint"}) <= 513
