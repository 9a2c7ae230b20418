"""Everything that people do with a cluster at one time, and afterwards what must be there of it."""

import secrets

import grpc
from client import people
from client.readings import HEART_RATE, heart_rate
from heartguard.chat.v1.chat_service_pb2 import (
    AppendMessagesRequest,
    CreateSessionRequest,
    ListMessagesRequest,
    ListSessionsRequest,
    NewMessage,
)
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.users.v1.users_service_pb2 import (
    GetProfileRequest,
    ListConsentsRequest,
    LogOutRequest,
    UpdateProfileRequest,
)
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1.vectors_service_pb2 import (
    CreateCollectionRequest,
    ListCollectionsRequest,
    SearchRequest,
    UpsertDocumentsRequest,
)
from heartguard.vitals.v1.vitals_service_pb2 import (
    ListDevicesRequest,
    ListObservationsRequest,
    RecordObservationsRequest,
)
from load import PATIENCE, Loop, Reader, Writer
from waiting import until

class Traffic:
    """Writers and readers over one cluster. Used in a `with`; the checks come after it."""

    batch = 10

    def __init__(self, front, direct, gateway, operator):
        self.front, self.direct, self.gateway, self.operator = front, direct, gateway, operator
        # a person for each, since everybody has a budget of calls at the Gateway
        self.patient, self.talker, self.renamer = (
            people.register(direct.users, name=name) for name in ("Patient", "Talker", "Name 0")
        )
        self.session = self.talker.calls(direct.chat.CreateSession, CreateSessionRequest(title="Kept")).session.id
        self.collection = f"system_{secrets.token_hex(6)}"
        made = CreateCollectionRequest(name=self.collection, model_id="two-d", dimension=2, metric="METRIC_COSINE")
        operator.calls(direct.vectors.CreateCollection, made)
        self.position = 0
        self.visitors: dict[int, people.Person] = {}
        self.left: list[people.Person] = []
        self.writers = [
            Writer("readings", self.record),
            Writer("messages", self.say),
            Writer("names", self.rename),
            Writer("documents", self.add_document),
            Writer("visits", self.visit),
        ]
        self.readers = list(self._readers())

    # What is written

    def record(self, number: int) -> None:
        readings = [heart_rate(number * self.batch + place) for place in range(self.batch)]
        request = RecordObservationsRequest(observations=readings)
        answer = self.patient.calls(self.front.vitals.RecordObservations, request, timeout=PATIENCE)
        assert answer.recorded_count in (0, self.batch), "a batch was kept in part"

    def say(self, number: int) -> None:
        message = NewMessage(client_id=f"{number}", role="ROLE_USER", content=f"Message {number}")
        request = AppendMessagesRequest(session_id=self.session, messages=[message])
        self.talker.calls(self.front.chat.AppendMessages, request, timeout=PATIENCE)

    def rename(self, number: int) -> None:
        request = UpdateProfileRequest(name=f"Name {number}")
        self.renamer.calls(self.front.users.UpdateProfile, request, timeout=PATIENCE)

    def add_document(self, number: int) -> None:
        document = vectors_pb2.Document(id=f"{number}", embedding=[1, number], content=f"Document {number}")
        request = UpsertDocumentsRequest(collection=self.collection, model_id="two-d", documents=[document])
        answer = self.operator.calls(self.direct.vectors.UpsertDocuments, request, timeout=PATIENCE)
        self.position = answer.position

    def visit(self, number: int) -> None:
        """Somebody registers and logs out again."""
        if number not in self.visitors:
            self.visitors[number] = people.register(self.direct.users, name="Visitor")
        visitor = self.visitors[number]
        try:
            visitor.calls(self.direct.users.LogOut, LogOutRequest(), timeout=PATIENCE)
        except grpc.RpcError as error:
            # the time before, the token was blocked and the answer was lost
            if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                raise
        self.left.append(visitor)

    # What is read

    def _readers(self):
        questions = {
            "users": lambda door: (door.users.ListConsents, ListConsentsRequest()),
            "vitals": lambda door: (door.vitals.ListDevices, ListDevicesRequest()),
            # more of them than are kept in the caches
            "chat": lambda door: (door.chat.ListSessions, ListSessionsRequest(page_size=100)),
            "vectors": lambda door: (door.vectors.ListCollections, ListCollectionsRequest()),
        }
        for service, question in questions.items():
            for door in (self.front, self.direct):
                way = "through the Gateway" if door.through_gateway else "at its own port"
                needs = {service, "postgres", *({"gateway"} if door.through_gateway else ())}
                yield Reader(f"{service} {way}", self._asking(*question(door)), needs)
        # what was read once is served without the cache's Redis; without the database nothing is, since no reading could be put on record
        profile = self._asking(self.front.users.GetProfile, GetProfileRequest())
        yield Reader("profile", profile, {"users", "gateway", "postgres"})
        overview = self._asking(self.gateway.GetPatientOverview, GetPatientOverviewRequest())
        yield Reader("overview", overview, {"gateway", "postgres"}, pace=0.3)

    def _asking(self, method, request):
        reader = people.register(self.direct.users, name="Reader")
        return lambda: reader.calls(method, request, timeout=PATIENCE)

    # Its course

    @property
    def loops(self) -> list[Loop]:
        return [*self.writers, *self.readers]

    def __enter__(self) -> "Traffic":
        for loop in self.loops:
            loop.start()
        self.goes_on()
        return self

    def __exit__(self, *_) -> None:
        for loop in self.loops:
            loop.stop()

    def goes_on(self) -> None:
        """Every writer and every reader has got further since."""
        writers = {writer: writer.acknowledged for writer in self.writers}
        readers = {reader: reader.answers for reader in self.readers}
        for writer, before in writers.items():
            until(lambda: writer.acknowledged >= before + 3 or writer.faults, f"{writer.name} are acknowledged")
        for reader, before in readers.items():
            until(lambda: reader.answers >= before + 3 or reader.faults, f"{reader.name} answers")

    def readers_with(self, name: str) -> list[Reader]:
        return [reader for reader in self.readers if name in reader.needs]

    def readers_without(self, name: str) -> list[Reader]:
        return [reader for reader in self.readers if name not in reader.needs]

    # What must be there

    def check_that_nothing_is_missing(self) -> None:
        assert [fault for loop in self.loops for fault in loop.faults] == []
        readings, messages, names, documents, visits = (writer.acknowledged for writer in self.writers)
        self._check_readings(readings)
        self._check_messages(messages)
        name = self.renamer.calls(self.direct.users.GetProfile, GetProfileRequest()).user.name
        assert int(name.removeprefix("Name ")) in (names, names + 1)
        self._check_documents(documents)
        assert len(self.left) >= visits

    def _check_readings(self, acknowledged: int) -> None:
        sequences, token = [], None
        while token != "":
            request = ListObservationsRequest(code=HEART_RATE, page_size=1000, page_token=token or "")
            page = self.patient.calls(self.direct.vitals.ListObservations, request)
            sequences += [reading.sequence for reading in page.observations]
            token = page.next_page_token
        # the last batch may have been kept without anybody hearing of it, but never in part
        whole = sorted(sequences)
        assert whole == list(range(self.batch, self.batch + len(whole)))
        assert len(whole) in (acknowledged * self.batch, (acknowledged + 1) * self.batch)

    def _check_messages(self, acknowledged: int) -> None:
        request = ListMessagesRequest(session_id=self.session, page_size=500)
        messages = self.talker.calls(self.direct.chat.ListMessages, request).messages
        assert [message.client_id for message in messages] == [f"{n + 1}" for n in range(len(messages))]
        assert [message.sequence for message in messages] == [n + 1 for n in range(len(messages))]
        assert len(messages) in (acknowledged, acknowledged + 1)

    def _check_documents(self, acknowledged: int) -> None:
        request = SearchRequest(
            collection=self.collection, model_id="two-d", embedding=[1, 1], limit=1000, min_position=self.position
        )
        matches = self.talker.calls(self.direct.vectors.Search, request).matches
        found = {match.id for match in matches}
        assert found >= {f"{n + 1}" for n in range(acknowledged)}
        assert all(match.content == f"Document {match.id}" for match in matches)
