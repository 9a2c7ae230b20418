"""Whoever gives a call up takes along what the database does for it."""

import uuid

import pytest
from client.refusals import refused
from database import held, psql
from heartguard.chat.v1.checkpoints_service_pb2 import DeleteThreadRequest
from waiting import until

# The statement may take a minute by itself, and the row is held for longer than that: what is gone by then was stopped.
WITHIN = 30.0


@pytest.fixture
def thread(cluster, ada):
    name = str(uuid.uuid4())
    psql(cluster, f"INSERT INTO chat.checkpoint_threads (user_id, number, thread_id) VALUES ('{ada.user.id}', 1, '{name}')")
    return name


def is_at_work(cluster) -> bool:
    """Whether a program of the cluster waits for the row of a thread."""
    statement = "usename = 'heartguard_chat' AND wait_event_type = 'Lock' AND query LIKE 'DELETE FROM chat.checkpoint_threads%'"
    return psql(cluster, f"SELECT count(*) FROM pg_stat_activity WHERE {statement}") != "0"


def test_a_statement_ends_with_the_call_that_is_cancelled(cluster, door, ada, thread):
    with held(cluster, "chat.checkpoint_threads", f"thread_id = '{thread}'"):
        call = door.checkpoints.DeleteThread.future(DeleteThreadRequest(thread_id=thread), metadata=ada.metadata, timeout=120)
        until(lambda: is_at_work(cluster), "the statement waits for the row")

        call.cancel()

        until(lambda: not is_at_work(cluster), "the statement is stopped", within=WITHIN)
    assert psql(cluster, f"SELECT count(*) FROM chat.checkpoint_threads WHERE thread_id = '{thread}'") == "1"


def test_a_statement_ends_with_the_deadline_of_its_call(cluster, door, ada, thread):
    with held(cluster, "chat.checkpoint_threads", f"thread_id = '{thread}'"):
        call = door.checkpoints.DeleteThread.future(DeleteThreadRequest(thread_id=thread), metadata=ada.metadata, timeout=10)
        until(lambda: is_at_work(cluster), "the statement waits for the row")

        with refused("DEADLINE_EXCEEDED"):
            call.result()

        until(lambda: not is_at_work(cluster), "the statement is stopped", within=WITHIN)
    assert psql(cluster, f"SELECT count(*) FROM chat.checkpoint_threads WHERE thread_id = '{thread}'") == "1"
