"""The two ways to a service: through the Gateway, and at the service's own port."""

from heartguard.chat.v1 import chat_service_pb2_grpc, checkpoints_service_pb2_grpc
from heartguard.gateway.v1 import gateway_service_pb2_grpc
from heartguard.users.v1 import (
    appointments_service_pb2_grpc,
    avatars_service_pb2_grpc,
    calendar_service_pb2_grpc,
    providers_service_pb2_grpc,
    records_service_pb2_grpc,
    users_service_pb2_grpc,
)
from heartguard.vectors.v1 import vectors_service_pb2_grpc
from heartguard.vitals.v1 import vitals_service_pb2_grpc

from client.cluster import Cluster


class Door:
    """Stubs of what the four services answer, all reached in one of the two ways."""

    def __init__(self, cluster: Cluster, through_gateway: bool):
        self._cluster = cluster
        self.through_gateway = through_gateway
        self.users = users_service_pb2_grpc.UsersServiceStub(self.channel("users"))
        self.providers = providers_service_pb2_grpc.ProvidersServiceStub(self.channel("users"))
        self.appointments = appointments_service_pb2_grpc.AppointmentsServiceStub(self.channel("users"))
        self.calendar = calendar_service_pb2_grpc.CalendarServiceStub(self.channel("users"))
        self.records = records_service_pb2_grpc.RecordsServiceStub(self.channel("users"))
        self.avatars = avatars_service_pb2_grpc.AvatarsServiceStub(self.channel("users"))
        self.vitals = vitals_service_pb2_grpc.VitalsServiceStub(self.channel("vitals"))
        self.chat = chat_service_pb2_grpc.ChatServiceStub(self.channel("chat"))
        self.checkpoints = checkpoints_service_pb2_grpc.CheckpointServiceStub(self.channel("chat"))
        self.vectors = vectors_service_pb2_grpc.VectorsServiceStub(self.channel("vectors"))

    def channel(self, service: str):
        return self._cluster.channel("gateway" if self.through_gateway else service)


def gateway_of(cluster: Cluster) -> gateway_service_pb2_grpc.GatewayServiceStub:
    return gateway_service_pb2_grpc.GatewayServiceStub(cluster.channel("gateway"))
