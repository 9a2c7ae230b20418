"""The two ways to a service: through the Gateway, and at the service's own port."""

from heartguard.chat.v1 import (
    chat_service_pb2_grpc,
    checkpoints_service_pb2_grpc,
    drafts_service_pb2_grpc,
    feedback_service_pb2_grpc,
    history_service_pb2_grpc,
    memories_service_pb2_grpc,
    verifications_service_pb2_grpc,
)
from heartguard.gateway.v1 import context_service_pb2_grpc, gateway_service_pb2_grpc
from heartguard.users.v1 import (
    access_log_service_pb2_grpc,
    appointments_service_pb2_grpc,
    avatars_service_pb2_grpc,
    calendar_service_pb2_grpc,
    care_grants_service_pb2_grpc,
    exports_service_pb2_grpc,
    imports_service_pb2_grpc,
    providers_service_pb2_grpc,
    records_service_pb2_grpc,
    roles_service_pb2_grpc,
    users_service_pb2_grpc,
)
from heartguard.vectors.v1 import memories_service_pb2_grpc as memory_vectors_pb2_grpc
from heartguard.vectors.v1 import (
    aliases_service_pb2_grpc,
    index_service_pb2_grpc,
    transfer_service_pb2_grpc,
    vectors_service_pb2_grpc,
)
from heartguard.vitals.v1 import (
    alerts_service_pb2_grpc,
    goals_service_pb2_grpc,
    live_service_pb2_grpc,
    medications_service_pb2_grpc,
    patient_records_service_pb2_grpc,
    predictions_service_pb2_grpc,
    series_service_pb2_grpc,
    vitals_service_pb2_grpc,
)

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
        self.care_grants = care_grants_service_pb2_grpc.CareGrantsServiceStub(self.channel("users"))
        self.roles = roles_service_pb2_grpc.RolesServiceStub(self.channel("users"))
        self.access_log = access_log_service_pb2_grpc.AccessLogServiceStub(self.channel("users"))
        self.exports = exports_service_pb2_grpc.ExportsServiceStub(self.channel("users"))
        self.imports = imports_service_pb2_grpc.ImportsServiceStub(self.channel("users"))
        self.vitals = vitals_service_pb2_grpc.VitalsServiceStub(self.channel("vitals"))
        self.alerts = alerts_service_pb2_grpc.AlertsServiceStub(self.channel("vitals"))
        self.medications = medications_service_pb2_grpc.MedicationsServiceStub(self.channel("vitals"))
        self.series = series_service_pb2_grpc.SeriesServiceStub(self.channel("vitals"))
        self.goals = goals_service_pb2_grpc.GoalsServiceStub(self.channel("vitals"))
        self.predictions = predictions_service_pb2_grpc.PredictionsServiceStub(self.channel("vitals"))
        self.patient_records = patient_records_service_pb2_grpc.PatientRecordsServiceStub(self.channel("vitals"))
        self.live = live_service_pb2_grpc.LiveServiceStub(self.channel("vitals"))
        self.chat = chat_service_pb2_grpc.ChatServiceStub(self.channel("chat"))
        self.checkpoints = checkpoints_service_pb2_grpc.CheckpointServiceStub(self.channel("chat"))
        self.drafts = drafts_service_pb2_grpc.DraftsServiceStub(self.channel("chat"))
        self.feedback = feedback_service_pb2_grpc.FeedbackServiceStub(self.channel("chat"))
        self.history = history_service_pb2_grpc.HistoryServiceStub(self.channel("chat"))
        self.patient_memories = memories_service_pb2_grpc.MemoriesServiceStub(self.channel("chat"))
        self.verifications = verifications_service_pb2_grpc.VerificationsServiceStub(self.channel("chat"))
        self.vectors = vectors_service_pb2_grpc.VectorsServiceStub(self.channel("vectors"))
        self.memories = memory_vectors_pb2_grpc.MemoriesServiceStub(self.channel("vectors"))
        self.aliases = aliases_service_pb2_grpc.AliasesServiceStub(self.channel("vectors"))
        self.transfer = transfer_service_pb2_grpc.TransferServiceStub(self.channel("vectors"))
        self.indexes = index_service_pb2_grpc.IndexServiceStub(self.channel("vectors"))

    def channel(self, service: str):
        return self._cluster.channel("gateway" if self.through_gateway else service)


def gateway_of(cluster: Cluster) -> gateway_service_pb2_grpc.GatewayServiceStub:
    return gateway_service_pb2_grpc.GatewayServiceStub(cluster.channel("gateway"))


def contexts_of(cluster: Cluster) -> context_service_pb2_grpc.ContextServiceStub:
    return context_service_pb2_grpc.ContextServiceStub(cluster.channel("gateway"))
