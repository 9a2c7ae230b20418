"""Every method of the contracts, from their descriptors, with what its options say."""

import dataclasses

import grpc
from google.api import annotations_pb2
from google.protobuf import message_factory
from heartguard.audit.v1 import intake_service_pb2
from heartguard.chat.v1 import (
    chat_service_pb2,
    checkpoints_service_pb2,
    drafts_service_pb2,
    feedback_service_pb2,
    history_service_pb2,
    memories_service_pb2,
    verifications_service_pb2,
)
from heartguard.erasure.v1 import erasure_service_pb2
from heartguard.export.v1 import export_service_pb2
from heartguard.gateway.v1 import context_service_pb2, gateway_service_pb2
from heartguard.imports.v1 import import_service_pb2
from heartguard.policy.v1 import policy_pb2
from heartguard.telemetry.v1 import telemetry_service_pb2
from heartguard.users.v1 import (
    access_log_service_pb2,
    appointments_service_pb2,
    avatars_service_pb2,
    calendar_service_pb2,
    care_grants_service_pb2,
    exports_service_pb2,
    imports_service_pb2,
    notification_inbox_service_pb2,
    providers_service_pb2,
    records_service_pb2,
    roles_service_pb2,
    users_service_pb2,
)
from heartguard.vectors.v1 import memories_service_pb2 as memory_vectors_pb2
from heartguard.vectors.v1 import (
    aliases_service_pb2,
    forgetting_service_pb2,
    index_service_pb2,
    transfer_service_pb2,
    vectors_service_pb2,
)
from heartguard.vitals.v1 import (
    alerts_service_pb2,
    goals_service_pb2,
    live_service_pb2,
    medications_service_pb2,
    patient_records_service_pb2,
    predictions_service_pb2,
    series_service_pb2,
    vitals_service_pb2,
)

_FILES = [
    ("users", users_service_pb2),
    ("users", providers_service_pb2),
    ("users", appointments_service_pb2),
    ("users", calendar_service_pb2),
    ("users", records_service_pb2),
    ("users", avatars_service_pb2),
    ("users", care_grants_service_pb2),
    ("users", roles_service_pb2),
    ("users", access_log_service_pb2),
    ("users", exports_service_pb2),
    ("users", imports_service_pb2),
    ("vitals", vitals_service_pb2),
    ("vitals", alerts_service_pb2),
    ("vitals", medications_service_pb2),
    ("vitals", series_service_pb2),
    ("vitals", goals_service_pb2),
    ("vitals", predictions_service_pb2),
    ("vitals", patient_records_service_pb2),
    ("chat", chat_service_pb2),
    ("chat", checkpoints_service_pb2),
    ("chat", drafts_service_pb2),
    ("chat", feedback_service_pb2),
    ("chat", history_service_pb2),
    ("chat", memories_service_pb2),
    ("chat", verifications_service_pb2),
    ("vectors", memory_vectors_pb2),
    ("vectors", transfer_service_pb2),
    ("vectors", vectors_service_pb2),
    ("vectors", index_service_pb2),
    ("vectors", aliases_service_pb2),
    ("gateway", context_service_pb2),
    ("gateway", gateway_service_pb2),
]


@dataclasses.dataclass(frozen=True)
class Method:
    # users, vitals, chat, vectors or gateway
    owner: str
    descriptor: object

    def __str__(self) -> str:
        return f"{self.descriptor.containing_service.name}.{self.descriptor.name}"

    @property
    def path(self) -> str:
        return f"/{self.descriptor.containing_service.full_name}/{self.descriptor.name}"

    @property
    def policy(self) -> policy_pb2.MethodPolicy:
        return self.descriptor.GetOptions().Extensions[policy_pb2.policy]

    @property
    def access(self) -> str:
        return policy_pb2.Access.Name(self.policy.access)

    @property
    def is_streaming(self) -> bool:
        return self.descriptor.client_streaming or self.descriptor.server_streaming

    @property
    def holds_secrets(self) -> bool:
        """Whether a password or a token is in its messages, at whatever depth."""
        known, left = set(), [self.descriptor.input_type, self.descriptor.output_type]
        while left:
            message = left.pop()
            if message.full_name in known:
                continue
            known.add(message.full_name)
            if any(field.GetOptions().Extensions[policy_pb2.secret] for field in message.fields):
                return True
            left += [field.message_type for field in message.fields if field.message_type is not None]
        return False

    @property
    def changes_something(self) -> bool:
        return self.policy.idempotency != policy_pb2.IDEMPOTENCY_NO_SIDE_EFFECTS

    @property
    def keeps_answers(self) -> bool:
        """Whether it takes an idempotency-key."""
        is_ones_own = self.access in ("ACCESS_USER", "ACCESS_OPERATOR")
        return self.changes_something and is_ones_own and not self.is_streaming and not self.holds_secrets

    @property
    def route(self) -> tuple[str, str]:
        """For example ("POST", "/v1/users")."""
        rule = self.descriptor.GetOptions().Extensions[annotations_pb2.http]
        verb = rule.WhichOneof("pattern")
        return verb.upper(), getattr(rule, verb)

    @property
    def request_class(self):
        return message_factory.GetMessageClass(self.descriptor.input_type)

    @property
    def response_class(self):
        return message_factory.GetMessageClass(self.descriptor.output_type)

    def bytes_stub(self, channel: grpc.Channel):
        """Sends bytes as they are and reads the answer as its message."""
        return channel.unary_unary(
            self.path, request_serializer=lambda content: content, response_deserializer=self.response_class.FromString
        )


def _methods_of(owner: str, module) -> list[Method]:
    services = module.DESCRIPTOR.services_by_name.values()
    return [Method(owner, method) for service in services for method in service.methods]


# What people's programs may call. Each method has one owner.
ALL = [method for owner, module in _FILES for method in _methods_of(owner, module)]


def between_services(owner: str) -> list[Method]:
    """What every program answers to other programs of the cluster, asked of this one."""
    return _methods_of(owner, telemetry_service_pb2)


# Answered with a stream, which the tests of all methods don't read.
STREAMS = [("vitals", live_service_pb2.DESCRIPTOR.services_by_name["LiveService"])]

# What other services ask of Users.
INBOX = notification_inbox_service_pb2.DESCRIPTOR.services_by_name["NotificationInboxService"]

# What Chat asks of Vectors.
FORGETTING = forgetting_service_pb2.DESCRIPTOR.services_by_name["ForgettingService"]

# What Users asks of those who keep people's records.
KEEPERS = ("vitals", "chat", "vectors")

# What Users asks of Vitals to take a file in.
IMPORTS = import_service_pb2.DESCRIPTOR.services_by_name["ImportService"]

# What the Gateway asks of whoever keeps records: to put on record what it answered itself.
INTAKE = intake_service_pb2.DESCRIPTOR.services_by_name["AuditIntakeService"]


def services_of(program: str) -> set:
    """The services that a program has besides those that every program has."""
    owners = ("users", "vitals", "chat", "vectors", "gateway") if program == "gateway" else (program,)
    keeping = (erasure_service_pb2.DESCRIPTOR, "ErasureService"), (export_service_pb2.DESCRIPTOR, "ExportService")
    erasing = {file.services_by_name[name] for file, name in keeping} if program in KEEPERS else set()
    inbox = {INBOX} if program == "users" else set()
    forgetting = {FORGETTING} if program == "vectors" else set()
    importing = {IMPORTS} if program == "vitals" else set()
    intake = set() if program == "gateway" else {INTAKE}
    streams = {service for owner, service in STREAMS if owner in owners}
    own = {method.descriptor.containing_service for method in ALL if method.owner in owners}
    return own | streams | erasing | inbox | intake | importing | forgetting


def with_access(*names: str) -> list[Method]:
    return [method for method in ALL if method.access in names]


def named(name: str) -> Method:
    """For example named("UsersService.GetProfile")."""
    return next(method for method in ALL if str(method) == name)
