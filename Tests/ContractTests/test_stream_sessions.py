"""Streams that are open when the session ends that they were begun with."""

import contextlib
import queue

import pytest
from client import imports, people
from client.people import PATIENCE, new_password
from client.readings import heart_rate, watch
from client.refusals import refused
from client.signals import batches, raw, sample
from heartguard.chat.v1 import drafts_service_pb2 as drafts
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest
from heartguard.users.v1.imports_service_pb2 import UploadImportRequest
from heartguard.users.v1.users_service_pb2 import (
    ChangePasswordRequest,
    EraseAccountRequest,
    LogOutEverywhereRequest,
    LogOutRequest,
)
from heartguard.vitals.v1.live_service_pb2 import SubscribeRequest
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest

# Seven seconds are promised; on a busy machine nothing is held to them here.
LONG = 4 * PATIENCE


@contextlib.contextmanager
def written(*messages):
    """Messages that are sent, behind which the stream stays open."""
    steps = queue.SimpleQueue()
    for message in messages:
        steps.put(message)
    try:
        yield iter(steps.get, None)
    finally:
        steps.put(None)


def to_the_end(stream):
    for _ in stream:
        pass


@pytest.fixture
def device(direct, ada):
    return ada.calls(direct.vitals.RegisterDevice, watch()).device.id


def log_out(door, ada, elsewhere):
    ada.calls(door.users.LogOut, LogOutRequest())


def log_out_everywhere(door, ada, elsewhere):
    elsewhere.calls(door.users.LogOutEverywhere, LogOutEverywhereRequest())


def change_the_password(door, ada, elsewhere):
    request = ChangePasswordRequest(current_password=ada.password, new_password=new_password())
    elsewhere.calls(door.users.ChangePassword, request)


def erase_the_account(door, ada, elsewhere):
    elsewhere.calls(door.users.EraseAccount, EraseAccountRequest(password=ada.password))


@pytest.mark.parametrize("end", (log_out, log_out_everywhere, change_the_password, erase_the_account))
def test_what_is_new_comes_until_the_session_ends(door, ada, end):
    elsewhere = people.log_in(door.users, ada.email, ada.password)
    stream = door.live.Subscribe(SubscribeRequest(), metadata=ada.metadata, timeout=LONG)
    next(stream)
    end(door, ada, elsewhere)
    with refused("UNAUTHENTICATED"):
        to_the_end(stream)


def test_who_sends_is_stopped_and_what_was_answered_is_kept(door, ada, device):
    elsewhere = people.log_in(door.users, ada.email, ada.password)
    session = ada.calls(door.chat.CreateSession, CreateSessionRequest()).session.id
    file = imports.bundle(imports.observation())
    job = imports.start(door, ada, file)
    samples = [sample(number, 1.0) for number in range(10)]
    beginning = drafts.StreamMessageRequest.Beginning(session_id=session, client_id="m", role="ROLE_ASSISTANT")
    piece = drafts.StreamMessageRequest.Piece(offset=0, text="kept")
    with (
        written(*batches(device, samples)) as sent,
        written(drafts.StreamMessageRequest(beginning=beginning), drafts.StreamMessageRequest(piece=piece)) as said,
        written(UploadImportRequest(import_id=job.id, offset=0, content=file[:10])) as uploaded,
    ):
        options = {"metadata": ada.metadata, "timeout": LONG}
        series = door.series.AppendSamples(sent, **options)
        message = door.drafts.StreamMessage(said, **options)
        upload = door.imports.UploadImport.future(uploaded, **options)
        assert next(series).accepted_count == len(samples)
        while next(message).kept < len("kept"):
            pass

        log_out(door, ada, elsewhere)

        for stream in (series, message):
            with refused("UNAUTHENTICATED"):
                to_the_end(stream)
        with refused("UNAUTHENTICATED"):
            upload.result()

    assert raw(door, elsewhere, device) == samples
    (draft,) = elsewhere.calls(door.drafts.ListDrafts, drafts.ListDraftsRequest(session_id=session)).drafts
    assert draft.content == "kept"
    assert imports.get(door, elsewhere, job.id).state == imports.UPLOADING


def test_streams_of_other_sessions_go_on(door, ada):
    elsewhere = people.log_in(door.users, ada.email, ada.password)
    ending, staying = (
        door.live.Subscribe(SubscribeRequest(), metadata=person.metadata, timeout=LONG) for person in (ada, elsewhere)
    )
    next(ending), next(staying)
    log_out(door, ada, elsewhere)
    with refused("UNAUTHENTICATED"):
        to_the_end(ending)
    (reading,) = elsewhere.calls(
        door.vitals.RecordObservations, RecordObservationsRequest(observations=[heart_rate(1)])
    ).ids
    assert next(staying).observation.id == reading
    staying.cancel()
