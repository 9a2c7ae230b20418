"""What every program tells an operator of its stores, and nobody else."""

import pytest
from client import methods
from client.cluster import EVERYWHERE
from client.people import PATIENCE
from client.refusals import refused
from heartguard.monitoring.v1 import monitoring_service_pb2 as monitoring
from heartguard.monitoring.v1 import monitoring_service_pb2_grpc
from heartguard.users.v1.users_service_pb2 import GetProfileRequest

METHODS = [
    ("ListStatements", monitoring.ListStatementsRequest()),
    ("ListSlowQueries", monitoring.ListSlowQueriesRequest()),
    ("ListConnectionPools", monitoring.ListConnectionPoolsRequest()),
    ("ListStoreHealth", monitoring.ListStoreHealthRequest()),
    ("ListCaches", monitoring.ListCachesRequest()),
]


@pytest.fixture(params=EVERYWHERE)
def program(request):
    return request.param


def ask(cluster, program, name, request, metadata=None):
    stub = monitoring_service_pb2_grpc.MonitoringServiceStub(cluster.channel(program))
    return getattr(stub, name)(request, metadata=metadata, timeout=PATIENCE)


@pytest.mark.parametrize(("name", "request_"), METHODS, ids=[name for name, _ in METHODS])
def test_it_is_an_operators_alone(cluster, program, reader, operator, name, request_):
    with refused("UNAUTHENTICATED"):
        ask(cluster, program, name, request_)
    with refused("PERMISSION_DENIED"):
        ask(cluster, program, name, request_, reader.metadata)
    ask(cluster, program, name, request_, operator.metadata)


def test_every_store_is_healthy_and_was_asked(cluster, program, operator):
    stores = ask(cluster, program, "ListStoreHealth", monitoring.ListStoreHealthRequest(), operator.metadata).stores
    expected = {"redis_cache", "redis_durable"} | ({"postgres"} if program != "gateway" else set())
    assert {store.store for store in stores} == expected
    for store in stores:
        assert store.is_healthy and not store.problem
        assert store.HasField("latency") and store.since.ToDatetime() <= store.asked_at.ToDatetime()


def test_statements_have_placeholders_and_add_up(cluster, operator):
    answer = ask(cluster, "users", "ListStatements", monitoring.ListStatementsRequest(), operator.metadata)
    assert answer.statements
    for statement in answer.statements:
        assert len(statement.fingerprint) == 16 and len(statement.statement) <= 500
        assert sum(bucket.count for bucket in statement.buckets) == statement.count
        assert statement.p50 <= statement.p95 <= statement.p99 <= statement.max * 1.01
    assert any("$1" in statement.statement for statement in answer.statements)
    assert not any(operator.email in statement.statement for statement in answer.statements)


def test_a_pool_is_within_its_limit(cluster, operator):
    answer = ask(cluster, "users", "ListConnectionPools", monitoring.ListConnectionPoolsRequest(), operator.metadata)
    assert [pool.name for pool in answer.pools] == ["postgres", "postgres_audit"]
    assert answer.pools[1].limit == 1, "events go one statement after the other"
    for pool in answer.pools:
        assert 0 < pool.limit <= 30 and pool.active + pool.idle <= pool.total <= pool.limit
        assert pool.utilisation == pytest.approx(pool.active / pool.limit)


def caches(cluster, program, operator):
    answer = ask(cluster, program, "ListCaches", monitoring.ListCachesRequest(), operator.metadata)
    return {cache.name: cache for cache in answer.caches}


def test_every_method_whose_answers_are_kept_has_a_cache(cluster, program, operator):
    own = [method for method in methods.ALL if method.owner == program]
    assert set(caches(cluster, program, operator)) == {method.path[1:] for method in own if method.policy.HasField("cache_ttl")}


def test_a_profile_that_is_read_five_times_is_fetched_once(cluster, direct, ada, operator):
    def profiles():
        return caches(cluster, "users", operator)["heartguard.users.v1.UsersService/GetProfile"]

    before = profiles()
    for _ in range(5):
        ada.calls(direct.users.GetProfile, GetProfileRequest())
    after = profiles()
    looks = after.local.hits + after.local.misses
    assert looks == before.local.hits + before.local.misses + 5
    assert after.loads == before.loads + 1
    assert after.local.hits > before.local.hits and after.local.hit_rate == pytest.approx(after.local.hits / looks)
    for latency in (after.shared.latency, after.load_latency):
        assert latency.samples > 0 and latency.mean.ToNanoseconds() > 0 and latency.p95.ToNanoseconds() > 0
    assert after.entries > 0 and 0 < after.stored_bytes <= after.value_bytes
