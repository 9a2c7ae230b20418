"""Nothing about a person, and no secret, is in any log or metric of the cluster, however a call ended."""

import hashlib
import json
import pathlib
import secrets
import uuid

import grpc
from client import people
from client.cluster import EVERYWHERE
from client.people import PATIENCE, issued_secrets
from client.metrics import asked_of
from client.readings import at, heart_rate, quantity, watch
from client.visits import free_slots
from client.visits import request as request_of
from google.protobuf.struct_pb2 import Struct
from heartguard.chat.v1 import chat_service_pb2 as chat
from heartguard.chat.v1 import checkpoints_pb2
from heartguard.chat.v1 import checkpoints_service_pb2 as checkpoints
from heartguard.chat.v1 import drafts_service_pb2 as drafts
from heartguard.chat.v1 import feedback_service_pb2 as feedback
from heartguard.chat.v1 import memories_service_pb2 as memories
from heartguard.users.v1 import appointments_service_pb2 as appointments
from heartguard.users.v1 import calendar_service_pb2 as calendar
from heartguard.users.v1 import imports_service_pb2 as imports
from heartguard.users.v1 import providers_service_pb2 as providers
from heartguard.users.v1 import users_service_pb2 as users
from heartguard.vectors.v1 import vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as vectors
from heartguard.vitals.v1 import (
    alerts_pb2,
    alerts_service_pb2,
    goals_pb2,
    goals_service_pb2,
    medications_pb2,
    medications_service_pb2,
    patient_records_service_pb2,
    predictions_service_pb2,
    series_pb2,
    series_service_pb2,
    vitals_pb2,
)
from heartguard.vitals.v1 import vitals_service_pb2 as vitals


class Canaries:
    """Words that occur nowhere else, one for each place in which they are put."""

    def __init__(self):
        self.words: list[tuple[str, str]] = []

    def __call__(self, place: str, form: str = "{}") -> str:
        self.words.append((place, f"canary{secrets.token_hex(8)}"))
        return form.format(self.words[-1][1])

    def number(self, place: str) -> str:
        """14 digits, where a word would not be taken."""
        self.words.append((place, str(secrets.randbelow(9 * 10**13) + 10**13)))
        return self.words[-1][1]


def attempt(method, request, metadata=None):
    """Refusals are as good as answers here."""
    try:
        return method(request, metadata=metadata, timeout=PATIENCE)
    except grpc.RpcError as error:
        assert error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNIMPLEMENTED), error
        return None


def plant_at(door, person, operator, canary):
    mine = person.metadata

    # in accounts: good, taken, and wrong in every way
    email = canary("e-mail", "{}@canaries.test")
    good = users.RegisterRequest(
        email=email, password=canary("password"), name=canary("name"), phone=f"+{canary.number('phone')}"
    )
    registered = attempt(door.users.Register, good)
    assert registered
    attempt(door.users.Register, good)
    attempt(
        door.users.Register, users.RegisterRequest(email=canary("bad e-mail"), password="x", name=canary("bad name"))
    )
    attempt(door.users.LogIn, users.LogInRequest(email=email, password=canary("wrong password")))
    attempt(door.users.LogIn, users.LogInRequest(email=canary("unknown e-mail", "{}@canaries.test"), password="x" * 12))
    attempt(door.users.RefreshToken, users.RefreshTokenRequest(refresh_token=canary("refresh token")))
    change = users.UpdateProfileRequest(
        name=canary("new name"), avatar_url=canary("avatar", "https://pictures.test/{}")
    )
    attempt(door.users.UpdateProfile, change, mine)
    attempt(door.users.UpdateProfile, users.UpdateProfileRequest(name=canary("late name"), expected_version=999), mine)
    attempt(door.users.UpdateProfile, users.UpdateProfileRequest(birth_date=canary("birth date")), mine)
    attempt(door.users.UpdateProfile, users.UpdateProfileRequest(name=canary("name with a nul", "{}\0")), mine)

    wrong = users.ChangePasswordRequest(current_password=canary("current password"), new_password=canary("new password"))
    attempt(door.users.ChangePassword, wrong, mine)

    # in appointments and calendars: good, refused and wrong
    (slot,) = free_slots(door, person, 1)
    for reason in ("{}", "{}\0"):
        wish = request_of(slot, client_id=canary("id of an appointment"), reason=canary("reason", reason))
        attempt(door.appointments.HoldAppointment, wish, mine)
        attempt(door.appointments.HoldAppointment, wish, operator.metadata)
    booked = attempt(door.appointments.ListAppointments, appointments.ListAppointmentsRequest(), mine).appointments[0]
    attempt(door.appointments.ConfirmAppointment, appointments.ConfirmAppointmentRequest(appointment_id=booked.id), mine)
    cancelled = appointments.CancelAppointmentRequest(appointment_id=booked.id, reason=canary("reason to cancel"))
    attempt(door.appointments.CancelAppointment, cancelled, mine)
    for rule in ("", canary("recurrence rule")):
        entry = calendar.CreateCalendarEventRequest(
            client_id=canary("id of an entry"), kind="CALENDAR_EVENT_KIND_OTHER", title=canary("title of an entry"),
            description=canary("description"), location=canary("location"), starts_at=slot.starts_at, ends_at=slot.ends_at,
            recurrence_rule=rule or None,
        )
        attempt(door.calendar.CreateCalendarEvent, entry, mine)
    attempt(door.calendar.ExportCalendar, calendar.ExportCalendarRequest(), mine)
    attempt(door.providers.SearchProviders, providers.SearchProvidersRequest(query=canary("name that is searched")), mine)

    # in a file that is taken in: in order, and not
    resource = {"resourceType": "Observation", "id": canary("id of a resource"), "note": [{"text": canary("note of a resource")}]}
    file = json.dumps({"resourceType": "Bundle", "type": "batch", "entry": [{"resource": resource}]}).encode()
    for content in (file, file[:-1] + b"x"):
        begin = imports.StartImportRequest(
            client_id=canary("id of an import"), format="IMPORT_FORMAT_FHIR_R4_BUNDLE", byte_count=len(content), sha256=hashlib.sha256(content).hexdigest()
        )
        job = attempt(door.imports.StartImport, begin, mine).import_job
        attempt(door.imports.WriteImport, imports.WriteImportRequest(import_id=job.id, content=content), mine)
        attempt(door.imports.DeleteImport, imports.DeleteImportRequest(import_id=job.id), mine)

    # in vital signs
    device = attempt(door.vitals.RegisterDevice, watch(canary("serial number"), canary("device name")), mine).device
    reading = heart_rate(1, quantity=quantity(canary.number("value"), "/min"))
    attempt(door.vitals.RecordObservations, vitals.RecordObservationsRequest(observations=[reading]), mine)
    attempt(door.vitals.RecordObservations, vitals.RecordObservationsRequest(observations=[reading]), mine)
    faulty = heart_rate(2, quantity=quantity(canary("bad value"), "/min"))
    attempt(door.vitals.RecordObservations, vitals.RecordObservationsRequest(observations=[faulty]), mine)
    sample = vitals_pb2.Sample(at=at(1), sequence=1, value=float(canary.number("sample")))
    samples = vitals.AppendSamplesRequest(device_id=device.id, metric="ppg", samples=[sample])
    attempt(door.vitals.AppendSamples, samples, mine)
    attempt(door.vitals.AppendSamples, samples, mine)

    metric = series_pb2.SeriesMetric(channel="ppg")
    for value in (float(canary.number("streamed sample")), float("nan")):
        streamed = vitals_pb2.Sample(at=at(2), sequence=2, value=value)
        message = series_service_pb2.SeriesServiceAppendSamplesRequest(device_id=device.id, metric=metric, samples=[streamed])
        attempt(lambda messages, **options: list(door.series.AppendSamples(messages, **options)), iter([message]), mine)
    attempt(
        lambda request, **options: list(door.series.ReadSeries(request, **options)),
        series_service_pb2.ReadSeriesRequest(device_id=device.id, metric=metric),
        mine,
    )
    rename = vitals.RenameDeviceRequest(device_id=device.id, name=canary("another device name"))
    attempt(door.vitals.RenameDevice, rename, mine)

    known = attempt(door.vitals.RecordObservations, vitals.RecordObservationsRequest(observations=[heart_rate(3)]), mine)
    for version in (1, 7):
        correction = vitals.CorrectObservationRequest(
            observation_id=known.ids[0],
            expected_version=version,
            quantity=quantity(canary.number("corrected value"), "/min"),
            reason=canary("reason"),
        )
        attempt(door.vitals.CorrectObservation, correction, mine)

    # in rules and medications
    for unit in ("/min", "kg"):
        rule = alerts_pb2.AlertRule(
            name=canary("rule"), code="8867-4", condition="ALERT_CONDITION_ABOVE", threshold=canary.number("threshold"), clear_at="0"
        )
        rule.unit, rule.severity, rule.enabled = unit, alerts_pb2.ALERT_SEVERITY_HIGH, True
        attempt(door.alerts.CreateAlertRule, alerts_service_pb2.CreateAlertRuleRequest(rule=rule), mine)
    for starts_on in ("2026-03-01", "never"):
        drug = medications_pb2.Medication(
            name=canary("drug"), dosage=canary("dosage"), reason=canary("reason of a drug"), starts_on=starts_on, active=True
        )
        drug.schedule.time_zone = "UTC"
        drug.schedule.as_needed.SetInParent()
        attempt(door.medications.AddMedication, medications_service_pb2.AddMedicationRequest(medication=drug), mine)
    check = medications_service_pb2.CheckInteractionsRequest(drugs=[canary("asked drug")], include_mine=True)
    attempt(door.medications.CheckInteractions, check, mine)

    # in goals, predictions and patients' records
    for zone in ("UTC", "nowhere"):
        goal = goals_pb2.Goal(
            kind="GOAL_KIND_OTHER", title=canary("title of a goal"), description=canary("description of a goal"), unit="1", time_zone=zone,
            start_value=canary.number("start"), target_value=canary.number("target"), direction="GOAL_DIRECTION_INCREASE",
        )
        made = attempt(door.goals.CreateGoal, goals_service_pb2.CreateGoalRequest(goal=goal), mine)
        if made is None:
            continue
        for position in (1, 1):
            step = goals_pb2.Milestone(
                goal_id=made.goal.id, position=position, title=canary("milestone"), target_value=canary.number("target of a milestone")
            )
            attempt(door.goals.SetMilestone, goals_service_pb2.SetMilestoneRequest(milestone=step), mine)
        entry = goals_pb2.ProgressEntry(goal_id=made.goal.id, value=canary.number("progress"), note=canary("note of progress"))
        attempt(door.goals.RecordProgress, goals_service_pb2.RecordProgressRequest(entry=entry), mine)
    why = Struct()
    why.update({canary("key of an explanation"): canary("explanation")})
    for score in ("0.5", canary("score")):
        prediction = predictions_service_pb2.Prediction(
            id=str(uuid.uuid4()), kind="PREDICTION_KIND_OTHER", model_id="m", model_version="1", inputs_sha256=bytes(32), score=score,
            risk_level="RISK_LEVEL_LOW", explanation=why, recommendations=[canary("recommendation")], predicted_at=at(1),
        )
        attempt(door.predictions.RecordPrediction, predictions_service_pb2.RecordPredictionRequest(prediction=prediction), mine)
    for onset in ("2020-01-01", canary("onset")):
        record = patient_records_service_pb2.PatientRecord(
            kind="PATIENT_RECORD_KIND_OTHER", title=canary("title of a record"), code_system="CODE_SYSTEM_OTHER", code=canary("code"), content=why,
            document_uri=canary("address of a document"), onset_on=onset,
        )
        attempt(door.patient_records.CreatePatientRecord, patient_records_service_pb2.CreatePatientRecordRequest(record=record), mine)

    # in conversations
    session = attempt(door.chat.CreateSession, chat.CreateSessionRequest(title=canary("title")), mine).session
    notes = Struct()
    notes.update({canary("key of notes"): canary("notes")})
    message = chat.NewMessage(client_id="a", role="ROLE_USER", content=canary("content"), metadata=notes)
    said = chat.AppendMessagesRequest(session_id=session.id, messages=[message])
    attempt(door.chat.AppendMessages, said, mine)
    attempt(door.chat.AppendMessages, said, mine)
    wrong = chat.NewMessage(client_id="", content=canary("refused content"))
    attempt(door.chat.AppendMessages, chat.AppendMessagesRequest(session_id=session.id, messages=[wrong]), mine)

    piece = drafts.StreamMessageRequest
    begun = piece.Beginning(session_id=session.id, client_id="d", role="ROLE_ASSISTANT", metadata=notes)
    pieces = [piece(beginning=begun), piece(piece=piece.Piece(text=canary("piece")))]
    attempt(lambda *call, **options: list(door.drafts.StreamMessage(*call, **options)), iter(pieces), mine)
    pieces.append(piece(piece=piece.Piece(offset=999, text=canary("piece out of place"))))
    attempt(lambda *call, **options: list(door.drafts.StreamMessage(*call, **options)), iter(pieces), mine)
    opinion = {"session_id": session.id, "client_id": "o", "kind": "FEEDBACK_KIND_REPORT"}
    attempt(door.feedback.GiveFeedback, feedback.GiveFeedbackRequest(comment=canary("comment"), **opinion), mine)
    refused = feedback.GiveFeedbackRequest(correction=canary("refused correction"), **opinion)
    attempt(door.feedback.GiveFeedback, refused, mine)

    # in what is remembered
    for client_id in ("m", ""):
        memory = {"client_id": client_id, "category": "MEMORY_CATEGORY_OTHER", "metadata": notes}
        attempt(door.patient_memories.Remember, memories.RememberRequest(content=canary("memory"), **memory), mine)
    for limit in (0, 1000):
        searched = memories.SearchMemoriesRequest(query=canary("words that are searched"), limit=limit)
        attempt(door.patient_memories.SearchMemories, searched, mine)

    # in what an agent keeps
    def kept(place):
        return checkpoints_pb2.TypedValue(type="x", data=canary(place).encode())

    place = {"thread_id": canary("thread"), "checkpoint_id": "1f1eba20-7e4e-6a42-b1ec-5a5e8f46ba11"}
    for metadata in ('{{"known": "{}"}}', '{{"wrong": "{}"'):
        checkpoint = checkpoints.PutCheckpointRequest(
            content=kept("checkpoint"), metadata=canary("metadata of a checkpoint", metadata), **place
        )
        checkpoint.channels.add(name=canary("channel"), version="1", value=kept("value"))
        attempt(door.checkpoints.PutCheckpoint, checkpoint, mine)
    for index in (0, 10**9):
        written = checkpoints.PutWritesRequest(**place)
        written.writes.add(task_id=canary("task"), index=index, channel=canary("channel"), value=kept("write"))
        attempt(door.checkpoints.PutWrites, written, mine)
    attempt(door.checkpoints.GetCheckpoint, checkpoints.GetCheckpointRequest(thread_id=canary("no thread")), mine)
    filtered = checkpoints.ListCheckpointsRequest(metadata_filter=canary("filter of checkpoints", '{{"x": "{}"}}'))
    attempt(door.checkpoints.ListCheckpoints, filtered, mine)
    attempt(door.checkpoints.DeleteRuns, checkpoints.DeleteRunsRequest(run_ids=[canary("run")]), mine)

    # in documents and in what is asked of them
    name = f"contract_{secrets.token_hex(6)}"
    made = vectors.CreateCollectionRequest(name=name, model_id="one-d", dimension=1, metric="METRIC_EUCLIDEAN")
    attempt(door.vectors.CreateCollection, made, operator.metadata)
    text = vectors_pb2.Document(
        id="a", content=canary("document"), embedding=[1], metadata={canary("key of metadata"): canary("metadata")}
    )
    attempt(
        door.vectors.UpsertDocuments,
        vectors.UpsertDocumentsRequest(collection=name, model_id="one-d", documents=[text]),
        operator.metadata,
    )
    question = vectors.SearchRequest(collection=name, model_id="one-d", embedding=[1], filter={"x": canary("filter")})
    attempt(door.vectors.Search, question, mine)

    # in a token that is none
    attempt(door.users.GetProfile, users.GetProfileRequest(), people.bearing(canary("token")))


def plant_in_json(json_door, person, canary):
    for body in (
        {"name": canary("JSON name")},
        {"name": [canary("JSON list")]},
        {canary("JSON key"): "x"},
        {"name": {"deep": canary("JSON object")}},
        {"expectedVersion": canary("JSON number")},
    ):
        json_door.request("PATCH", "/v1/profile", person=person, json=body)
    json_door.request("PATCH", "/v1/profile", person=person, data=canary("no JSON", '{{"name": "{}'))
    json_door.request("GET", "/v1/profile", person=person, params={"x": canary("query")})
    json_door.request("GET", f"/v1/chats/{canary('path')}", person=person)
    json_door.request("GET", "/v1/profile", headers={"authorization": f"Bearer {canary('JSON token')}"})
    json_door.request("GET", "/v1/profile", person=person, headers={"x-something": canary("header")})


def test_no_log_holds_what_people_said_or_sent(cluster, front, direct, json_door, ada, operator):
    canary = Canaries()
    for door in (front, direct):
        plant_at(door, ada, operator, canary)
    plant_in_json(json_door, ada, canary)

    logs = {path: path.read_text(errors="replace") for path in cluster.logs.rglob("*") if path.is_file()}
    assert logs
    logs |= {pathlib.Path(f"metrics of {program}"): str(asked_of(cluster, program)) for program in EVERYWHERE}
    found = [(place, path.name) for path, text in logs.items() for place, word in canary.words if word in text]
    assert found == []


def test_no_log_holds_a_secret(cluster):
    known = dict.fromkeys(issued_secrets, "one of this run's")
    for path in (cluster.state / "secrets").iterdir():
        known[path.read_text().strip()] = path.name
    logs = {path: path.read_text(errors="replace") for path in cluster.logs.rglob("*") if path.is_file()}
    found = {(name, path.name) for path, text in logs.items() for secret, name in known.items() if secret in text}
    assert found == set()
