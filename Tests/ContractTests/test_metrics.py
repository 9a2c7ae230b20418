"""What every program tells an operator's tools, in Prometheus' text format."""

import re
import urllib.request

import pytest
from client import people, prometheus
from client.cluster import EVERYWHERE
from client.people import PATIENCE
from heartguard.users.v1.users_service_pb2 import GetProfileRequest

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
