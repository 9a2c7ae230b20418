"""What a program of the cluster has counted, asked as the Gateway may ask."""

from heartguard.telemetry.v1 import telemetry_service_pb2 as telemetry
from heartguard.telemetry.v1 import telemetry_service_pb2_grpc

from client.cluster import Cluster
from client.people import PATIENCE


def asked_of(cluster: Cluster, program: str) -> telemetry.ListMethodMetricsResponse:
    with cluster.new_channel(program, showing="gateway") as channel:
        stub = telemetry_service_pb2_grpc.TelemetryServiceStub(channel)
        return stub.ListMethodMetrics(telemetry.ListMethodMetricsRequest(), timeout=PATIENCE)
