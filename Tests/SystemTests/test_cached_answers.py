"""What is answered with a cache between is what the record says, to whoever asks, at every replica: random steps of patients and clinicians, after
each of which the same is asked of two replicas of every service, of the Gateway, and of Postgres under the same identity.

HEARTGUARD_CACHE_STEPS is how many, 300 if it is not set, HEARTGUARD_CACHE_SEED what they are made of; a failure tells it."""

import contextlib
import json
import os
import random
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from client import people
from client.clinicians import SCOPES, acting, covers, let_in, revoke
from client.doors import Door
from client.people import PATIENCE, Person
from client.readings import GLUCOSE, HEART_RATE, glucose, heart_rate, quantity
from database import PSQL, superuser
from heartguard.chat.v1.chat_service_pb2 import (
    AppendMessagesRequest,
    ArchiveSessionRequest,
    CreateSessionRequest,
    ListSessionsRequest,
    NewMessage,
    RenameSessionRequest,
)
from heartguard.gateway.v1 import gateway_service_pb2 as gateway_v1
from heartguard.policy.v1 import policy_pb2
from heartguard.users.v1 import roles_service_pb2, users_pb2
from heartguard.users.v1.roles_service_pb2 import AssignRoleRequest
from heartguard.users.v1.users_service_pb2 import (
    EraseAccountRequest,
    GetProfileRequest,
    GiveConsentRequest,
    LogOutEverywhereRequest,
    LogOutRequest,
    UpdateProfileRequest,
    WithdrawConsentRequest,
)
from heartguard.vitals.v1.vitals_service_pb2 import (
    CorrectObservationRequest,
    GetLatestObservationsRequest,
    RecordObservationsRequest,
    RetractObservationRequest,
)
from replica import Replica
from waiting import until

STEPS = int(os.environ.get("HEARTGUARD_CACHE_STEPS", "300"))
SEED = int(os.environ.get("HEARTGUARD_CACHE_SEED", "0")) or random.SystemRandom().getrandbits(48)
SHARING = users_pb2.CONSENT_KIND_CARE_SHARING

MICROSECONDS = "(extract(epoch FROM updated_at) * 1000000)::bigint AS updated_at"


def microseconds(timestamp) -> int:
    return timestamp.seconds * 10**6 + timestamp.nanos // 1000


@dataclass(frozen=True)
class Kind:
    """What a service keeps of a person in its cache."""

    name: str
    role: str
    scope: int
    sql: str
    ask: Callable
    rows: Callable


def rows_of_profile(user) -> list[dict]:
    phone = user.phone if user.HasField("phone") else None
    return [
        {"id": user.id, "email": user.email, "name": user.name, "phone": phone, "version": user.version}
        | {"updated_at": microseconds(user.updated_at)}
    ]


def rows_of_readings(readings) -> list[dict]:
    return [{"code": one.code, "id": one.id, "version": one.version, "value": one.quantity.value} for one in readings]


def rows_of_sessions(sessions) -> list[dict]:
    return [
        {"id": one.id, "title": one.title, "message_count": one.message_count, "updated_at": microseconds(one.updated_at)}
        for one in sessions
    ]


# None of the statements names a person: whose rows there are is row-level security's to say.
PROFILE = Kind(
    "profile", "heartguard_users", policy_pb2.CARE_SCOPE_PROFILE_READ,
    f"SELECT id, email, name, phone, version, {MICROSECONDS} FROM users.users",
    lambda door, metadata: door.users.GetProfile(GetProfileRequest(), metadata=metadata, timeout=PATIENCE).user,
    rows_of_profile,
)
READINGS = Kind(
    "newest readings", "heartguard_vitals", policy_pb2.CARE_SCOPE_VITALS_READ,
    "SELECT DISTINCT ON (metric) metric AS code, id, version, value::text AS value FROM vitals.vitals"
    " WHERE status <> 'entered_in_error' ORDER BY metric, effective_at DESC, id DESC",
    lambda door, metadata: door.vitals.GetLatestObservations(
        GetLatestObservationsRequest(), metadata=metadata, timeout=PATIENCE
    ).observations,
    rows_of_readings,
)
SESSIONS = Kind(
    "conversations", "heartguard_chat", policy_pb2.CARE_SCOPE_CHAT_READ,
    f"SELECT id, title, message_count, {MICROSECONDS} FROM chat.chat_sessions"
    " WHERE archived_at IS NULL ORDER BY updated_at DESC, id DESC LIMIT 20",
    lambda door, metadata: door.chat.ListSessions(
        ListSessionsRequest(page_size=20), metadata=metadata, timeout=PATIENCE
    ).sessions,
    rows_of_sessions,
)
KINDS = (PROFILE, READINGS, SESSIONS)


class Record:
    """The rows themselves, as a service's role sees them that works for a person."""

    def __init__(self, cluster):
        self._psql = subprocess.Popen(
            PSQL, env=superuser(cluster), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def rows(self, kind: Kind, account: "Account") -> list[dict]:
        self._psql.stdin.write(
            f"SET ROLE {kind.role}; SET heartguard.user_id = '{account.id}';"
            f" SELECT coalesce(jsonb_agg(found), '[]') FROM ({kind.sql}) AS found;\n"
        )
        self._psql.stdin.flush()
        line = self._psql.stdout.readline()
        assert line, "psql has ended; it said why above"
        return json.loads(line)

    def close(self):
        self._psql.communicate()


class ReplicaDoor(Door):
    """The second replicas, each at its own port."""

    def __init__(self, cluster, replicas: dict[str, Replica]):
        self._replicas = replicas
        super().__init__(cluster, through_gateway=False)

    def channel(self, service: str):
        return self._replicas[service].channel if service in self._replicas else super().channel(service)


class Account:
    """Somebody, and every session that they have had."""

    def __init__(self, users, name: str):
        self._users = users
        self.live, self.ended = [people.register(users, name=name)], []
        self.id, self.email, self.password = self.live[0].user.id, self.live[0].email, self.live[0].password
        self.is_clinician = False

    def sign_in(self):
        self.live.append(people.log_in(self._users, self.email, self.password))

    def lose(self, *sessions: Person):
        self.live = [session for session in self.live if session not in sessions]
        self.ended += sessions


@dataclass
class Change:
    """What a step did: whose rows of which kinds are others now, and of whom it is to be seen at once what they may."""

    account: Account | None = None
    kind: Kind | None = None
    readers: tuple[tuple[Account, Person, Account | None], ...] = ()


class World:
    """People at random over one cluster, and who has let whom into what."""

    def __init__(self, cluster, gateway, doors: list[Door], operator: Person, seed: int):
        self._gateway, self._doors, self._operator, self._record = gateway, doors, operator, Record(cluster)
        self.random = random.Random(seed)
        self.seed, self.number, self.step = seed, 0, "nothing"
        users = doors[0].users
        self.patients = [Account(users, f"Patient {number}") for number in range(4)]
        self.clinicians = [Account(users, f"Clinician {number}") for number in range(3)]
        self.accounts = self.patients + self.clinicians
        self.grants: dict[tuple[Account, Account], tuple] = {}
        self._sequences = self.random.sample(range(150_000), 4 * STEPS)
        self._never = threading.Event()
        for patient in self.patients:
            agreed = GiveConsentRequest(kind=SHARING, document_version="2026-02")
            patient.live[0].calls(users.GiveConsent, agreed)
        for clinician in self.clinicians:
            self.change_role(doors[0], clinician)

    def close(self):
        self._record.close()

    # What must be -------------------------------------------------------------------------------------------------

    def lets(self, patient: Account, account: Account, scope: int) -> bool:
        _, scopes = self.grants.get((patient, account), (None, ()))
        return account.is_clinician and any(covers(given, [scope]) for given in scopes)

    def may(self, kind: Kind, account: Account, session: Person, patient: Account | None) -> str:
        if session in account.ended:
            return "UNAUTHENTICATED"
        return "OK" if patient is None or self.lets(patient, account, kind.scope) else "PERMISSION_DENIED"

    def wanted(self, kind: Kind, account, session, patient) -> tuple:
        code = self.may(kind, account, session, patient)
        return (code, self._record.rows(kind, patient or account)) if code == "OK" else (code, None)

    def wanted_overview(self, account, session, patient) -> tuple:
        parts = [self.wanted(kind, account, session, patient) for kind in KINDS]
        if all(code != "OK" for code, _ in parts):
            return parts[0]
        return "OK", [rows for _, rows in parts]

    # What is told -------------------------------------------------------------------------------------------------

    def told(self, ask, session: Person, patient: Account | None) -> tuple:
        metadata = session.metadata if patient is None else acting(session, patient.id)
        while True:
            try:
                return "OK", ask(metadata)
            except grpc.RpcError as error:
                # a long run asks the Gateway for more than it lets through
                if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
                    return error.code().name, None
            self._never.wait(0.5)

    def answered(self, door: Door, kind: Kind, account, session, patient) -> tuple:
        return self.told(lambda metadata: kind.rows(kind.ask(door, metadata)), session, patient)

    def overview(self, session: Person, patient: Account | None) -> tuple:
        asked = gateway_v1.GetPatientOverviewRequest(session_limit=20)

        def ask(metadata):
            while True:
                seen = self._gateway.GetPatientOverview(asked, metadata=metadata, timeout=PATIENCE)
                states = [gateway_v1.PartState.Name(part.state).removeprefix("PART_STATE_") for part in seen.parts[:3]]
                # what a busy machine did not answer in time says nothing
                if set(states) <= {"PRESENT", "NOT_GRANTED"}:
                    break
            users = [seen.user] if seen.HasField("user") else []
            parts = [
                [row for user in users for row in rows_of_profile(user)],
                rows_of_readings(seen.latest_observations),
                rows_of_sessions(seen.recent_sessions),
            ]
            assert not any(rows for rows, state in zip(parts, states) if state == "NOT_GRANTED")
            return [rows if state == "PRESENT" else None for rows, state in zip(parts, states)]

        return self.told(ask, session, patient)

    def where(self) -> str:
        return f"HEARTGUARD_CACHE_SEED={self.seed}, step {self.number}, behind {self.step}"

    def compare(self, door: Door, kind: Kind, account, session, patient=None):
        told, wanted = self.answered(door, kind, account, session, patient), self.wanted(kind, account, session, patient)
        assert told == wanted, f"the {kind.name}"

    def compare_overview(self, account, session, patient=None):
        told, wanted = self.overview(session, patient), self.wanted_overview(account, session, patient)
        assert told == wanted, "the overview"

    # Steps --------------------------------------------------------------------------------------------------------

    def go(self):
        steps = {
            self.record: 6, self.record_for_a_patient: 4, self.correct: 3, self.rename: 3, self.converse: 6, self.let_in: 5,
            self.revoke: 3, self.withdraw: 1, self.log_out: 1, self.sign_in: 1, self.change_role: 1,
        }
        step = self.random.choices(list(steps), list(steps.values()))[0]
        self.number, self.step = self.number + 1, step.__name__
        door = self.random.choice(self._doors)
        self.look(door, step(door) or Change())

    def look(self, door: Door, change: Change):
        """Compares what a step has changed with what is told of it from then on, and what anybody is told of anything."""
        if change.kind and change.account.live:
            account, session = change.account, self.random.choice(change.account.live)
            self.compare(door, change.kind, account, session)
            # other replicas hear of it, and do at once what they are told; the overview asks the first
            for other in self._doors:
                until(
                    lambda: self.answered(other, change.kind, account, session, None)
                    == self.wanted(change.kind, account, session, None),
                    f"the {change.kind.name} are the record's at every replica",
                )
            self.compare_overview(account, session)
        for reader in change.readers:
            for each in self._doors:
                for kind in KINDS:
                    self.compare(each, kind, *reader)
            self.compare_overview(*reader)
        for _ in range(4):
            account = self.random.choice(self.accounts)
            session = self.random.choice(account.live + account.ended[-2:])
            patient = self.random.choice([None, *self.patients])
            if self.random.random() < 0.1:
                self.compare_overview(account, session, patient)
            else:
                self.compare(self.random.choice(self._doors), self.random.choice(KINDS), account, session, patient)

    def session(self, account: Account) -> Person:
        return self.random.choice(account.live)

    def reading(self):
        kind, number = self.random.choice([heart_rate, glucose]), self._sequences.pop()
        return kind(number, value=self.random.randrange(60, 120))

    def record(self, door):
        patient = self.random.choice(self.patients)
        batch = RecordObservationsRequest(observations=[self.reading() for _ in range(self.random.randint(1, 3))])
        self.session(patient).calls(door.vitals.RecordObservations, batch)
        return Change(patient, READINGS)

    def record_for_a_patient(self, door):
        clinician, patient = self.random.choice(self.clinicians), self.random.choice(self.patients)
        batch = RecordObservationsRequest(observations=[self.reading()])
        code, _ = self.told(
            lambda metadata: door.vitals.RecordObservations(batch, metadata=metadata, timeout=PATIENCE),
            self.session(clinician), patient,
        )
        may = self.lets(patient, clinician, policy_pb2.CARE_SCOPE_VITALS_WRITE)
        assert code == ("OK" if may else "PERMISSION_DENIED")
        return Change(patient, READINGS)

    def correct(self, door):
        patient = self.random.choice(self.patients)
        newest = self._record.rows(READINGS, patient)
        if not newest:
            return self.record(door)
        row, session = self.random.choice(newest), self.session(patient)
        named = {"observation_id": row["id"], "expected_version": row["version"], "reason": "Mistaken"}
        if self.random.random() < 0.5:
            session.calls(door.vitals.RetractObservation, RetractObservationRequest(**named))
        else:
            unit = {HEART_RATE: "/min", GLUCOSE: "mg/dL"}[row["code"]]
            value = quantity(int(row["value"]) + 1, unit)
            session.calls(door.vitals.CorrectObservation, CorrectObservationRequest(quantity=value, **named))
        return Change(patient, READINGS)

    def rename(self, door):
        account = self.random.choice(self.accounts)
        self.session(account).calls(door.users.UpdateProfile, UpdateProfileRequest(name=f"Somebody {self.number}"))
        return Change(account, PROFILE)

    def converse(self, door):
        patient = self.random.choice(self.patients)
        session, kept = self.session(patient), self._record.rows(SESSIONS, patient)
        what = self.random.choice(["begin", "say", "rename", "archive"]) if kept else "begin"
        named = {"session_id": self.random.choice(kept)["id"]} if kept else {}
        if what == "begin":
            session.calls(door.chat.CreateSession, CreateSessionRequest(title=f"Number {self.number}"))
        elif what == "say":
            said = NewMessage(client_id=f"{self.number}", role="ROLE_USER", content="My heart races")
            session.calls(door.chat.AppendMessages, AppendMessagesRequest(messages=[said], **named))
        elif what == "rename":
            session.calls(door.chat.RenameSession, RenameSessionRequest(title=f"Renamed {self.number}", **named))
        else:
            session.calls(door.chat.ArchiveSession, ArchiveSessionRequest(**named))
        return Change(patient, SESSIONS)

    def let_in(self, door):
        patient = self.random.choice(self.patients)
        clinician = self.random.choice([one for one in self.clinicians if one.is_clinician] or [None])
        if clinician is None:
            return None
        scopes, session = self.random.sample(SCOPES, self.random.randint(1, 4)), self.session(clinician)
        # one that is given anew ends the one before
        self.grants[patient, clinician] = (let_in(door, self.session(patient), session, *scopes), scopes)
        return Change(readers=((clinician, session, patient),))

    def revoke(self, door):
        if not self.grants:
            return None
        patient, clinician = self.random.choice(list(self.grants))
        grant, _ = self.grants.pop((patient, clinician))
        revoke(door, self.session(patient), grant)
        return Change(readers=((clinician, self.session(clinician), patient),))

    def withdraw(self, door):
        patient = self.random.choice(self.patients)
        self.session(patient).calls(door.users.WithdrawConsent, WithdrawConsentRequest(kind=SHARING))
        return self.end_grants(lambda giver, _: giver is patient)

    def end_grants(self, ends) -> Change:
        gone = [pair for pair in self.grants if ends(*pair)]
        for pair in gone:
            del self.grants[pair]
        return Change(readers=tuple((clinician, self.session(clinician), patient) for patient, clinician in gone))

    def log_out(self, door):
        account = self.random.choice(self.accounts)
        session = self.session(account)
        if self.random.random() < 0.7:
            session.calls(door.users.LogOut, LogOutRequest())
            account.lose(session)
        else:
            session.calls(door.users.LogOutEverywhere, LogOutEverywhereRequest())
            account.lose(*account.live)
        if not account.live:
            account.sign_in()
        return Change(readers=((account, session, None),))

    def sign_in(self, _):
        account = self.random.choice(self.accounts)
        account.sign_in()
        return Change(readers=((account, account.live[-1], None),))

    def change_role(self, door, account: Account | None = None):
        account = account or self.random.choice(self.clinicians)
        account.is_clinician = not account.is_clinician
        role = roles_service_pb2.ACCOUNT_ROLE_CLINICIAN if account.is_clinician else roles_service_pb2.ACCOUNT_ROLE_USER
        self._operator.calls(door.roles.AssignRole, AssignRoleRequest(user_id=account.id, role=role))
        before = self.session(account)
        account.lose(*account.live)
        account.sign_in()
        ended = self.end_grants(lambda _, holder: holder is account)
        return Change(account, PROFILE, (*ended.readers, (account, before, None)))

    def leave(self):
        """One of the patients closes their account, and is nobody's patient from then on."""
        patient, door = self.random.choice(self.patients), self.random.choice(self._doors)
        self.step, session = "leave", self.session(patient)
        session.calls(door.users.EraseAccount, EraseAccountRequest(password=patient.password))
        patient.lose(*patient.live)
        ended = self.end_grants(lambda giver, _: giver is patient)
        self.look(door, Change(readers=(*ended.readers, (patient, session, None))))


@contextlib.contextmanager
def second_replicas(cluster, reader, folder):
    """A second Users, Vitals and Chat, once each of them lets calls in."""
    with contextlib.ExitStack() as stack:
        replicas = {name: stack.enter_context(Replica(cluster, name, folder)) for name in ("users", "vitals", "chat")}
        door = ReplicaDoor(cluster, replicas)

        def answers(kind: Kind) -> bool:
            try:
                kind.ask(door, reader.metadata)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE, error
                return False
            return True

        for kind in KINDS:
            until(lambda: answers(kind), f"the second replica for the {kind.name} answers")
        yield door


def test_a_cached_answer_is_the_uncached_one_for_whoever_asks(cluster, gateway, direct, operator, reader, tmp_path):
    with second_replicas(cluster, reader, tmp_path) as second:
        with contextlib.closing(World(cluster, gateway, [direct, second], operator, SEED)) as world:
            try:
                for _ in range(STEPS):
                    world.go()
                world.leave()
            except Exception as error:
                error.add_note(world.where())
                raise
