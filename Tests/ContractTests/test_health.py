"""grpc.health.v1, as PyPI's grpcio-health-checking asks for it, and what probes ask the operator's port."""

import urllib.parse
import urllib.request

import pytest
from client import methods
from client.cluster import EVERYWHERE, SERVICES
from client.people import PATIENCE
from client.refusals import refused
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING


def service_names(program: str) -> set[str]:
    return {service.full_name for service in methods.services_of(program)}


@pytest.mark.parametrize("program", EVERYWHERE)
def test_each_program_serves_and_so_does_each_of_its_services(cluster, program):
    stub = health_pb2_grpc.HealthStub(cluster.channel(program))
    for name in ("", *service_names(program)):
        request = health_pb2.HealthCheckRequest(service=name)
        assert stub.Check(request, timeout=PATIENCE).status == SERVING


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_program_lists_the_health_of_each_of_its_services(cluster, program):
    listed = health_pb2_grpc.HealthStub(cluster.channel(program)).List(health_pb2.HealthListRequest(), timeout=PATIENCE)
    about = {"heartguard.monitoring.v1.MonitoringService", "heartguard.telemetry.v1.TelemetryService"}
    assert set(listed.statuses) == {"", *about, *service_names(program)}
    assert {response.status for response in listed.statuses.values()} == {SERVING}


@pytest.mark.parametrize("program", EVERYWHERE)
def test_a_service_that_a_program_does_not_know_is_not_found(cluster, program):
    stub = health_pb2_grpc.HealthStub(cluster.channel(program))
    with refused("NOT_FOUND"):
        stub.Check(health_pb2.HealthCheckRequest(service="heartguard.billing.v1.BillingService"), timeout=PATIENCE)


@pytest.mark.parametrize("program", SERVICES)
def test_a_program_does_not_speak_for_another(cluster, program):
    stub = health_pb2_grpc.HealthStub(cluster.channel(program))
    with refused("NOT_FOUND"):
        request = health_pb2.HealthCheckRequest(service="heartguard.gateway.v1.GatewayService")
        stub.Check(request, timeout=PATIENCE)


@pytest.mark.parametrize("program", EVERYWHERE)
def test_who_watches_is_told_at_once(cluster, program):
    watch = health_pb2_grpc.HealthStub(cluster.channel(program)).Watch(
        health_pb2.HealthCheckRequest(), timeout=PATIENCE
    )
    assert next(watch).status == SERVING
    watch.cancel()


@pytest.mark.parametrize("program", EVERYWHERE)
def test_the_operators_port_says_it_to_probes(cluster, program):
    url = urllib.parse.urljoin(cluster.metrics_url(program), "/healthz")
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        assert (answer.status, answer.read()) == (200, b"SERVING\n")


def test_who_watches_a_service_that_is_not_there_is_told_so(cluster):
    request = health_pb2.HealthCheckRequest(service="heartguard.billing.v1.BillingService")
    watch = health_pb2_grpc.HealthStub(cluster.channel("users")).Watch(request, timeout=PATIENCE)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watch.cancel()
