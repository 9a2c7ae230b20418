"""What a long conversation takes: 1,000 turns of a real graph, and all that the database holds of it."""

import json
import os
import pathlib
import random
import subprocess
import uuid

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END, START, MessagesState, StateGraph
from test_checkpoints import saver_of, thread

TURNS = 1_000
SAMPLE = pathlib.Path(__file__).parents[2] / "Samples" / "medical" / "documents.jsonl"
TABLES = ("checkpoint_threads", "checkpoint_segments", "checkpoints", "checkpoint_writes")


def psql(cluster, sql):
    server, role = cluster.description["stores"]["postgres"], cluster.credentials["postgres"]["superuser"]
    programs = os.environ.get("HEARTGUARD_POSTGRES_BIN", "/usr/lib/postgresql/15/bin")
    command = [
        f"{programs}/psql",
        *("--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"),
        *(f"--host={server['host']}", f"--port={server['port']}", f"--username={role['user']}"),
        *(f"--dbname={server['database']}", f"--command={sql}"),
    ]
    environment = {**os.environ, "PGPASSWORD": role["password"]}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def bytes_of(cluster, person):
    """What the rows of one person take, copied into tables made like ours, which hold nothing else: pages, row headers, indexes and all."""
    sizes = {}
    scratch = f"measured_{uuid.uuid4().hex[:8]}"
    copies = "".join(
        f"CREATE TABLE {scratch}.{table} (LIKE chat.{table} INCLUDING ALL);"
        f"INSERT INTO {scratch}.{table} SELECT * FROM chat.{table} WHERE user_id = '{person.user.id}';"
        for table in TABLES
    )
    psql(cluster, f"CREATE SCHEMA {scratch}; {copies}")
    for table in TABLES:
        sizes[table] = int(psql(cluster, f"SELECT pg_total_relation_size('{scratch}.{table}')"))
    psql(cluster, f"SET client_min_messages = warning; DROP SCHEMA {scratch} CASCADE")
    return sizes


@pytest.mark.timeout(3000)
def test_a_thousand_turns_take_at_most_twice_their_transcript(cluster, ada, record_property):
    words = sorted({word for line in SAMPLE.read_text().splitlines() for word in json.loads(line)["content"].split()})
    said = random.Random(20261129)

    def text(least, most):
        # No two alike, so nothing is saved by what people would say twice.
        return " ".join(said.choices(words, k=said.randint(least, most)))

    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [AIMessage(text(120, 200))]})
    graph.add_edge(START, "model")
    graph.add_edge("model", END)
    config = thread()
    with saver_of(cluster, ada) as saver:
        conversation = graph.compile(checkpointer=saver)
        for _ in range(TURNS):
            conversation.invoke({"messages": [HumanMessage(text(10, 30))]}, config)
        messages = conversation.get_state(config).values["messages"]
        assert len(messages) == 2 * TURNS
        _, transcript = saver.serde.dumps_typed(messages)
        history = sum(1 for _ in saver.list(config, limit=30))
        assert history == 30

    sizes = bytes_of(cluster, ada)
    ratio = sum(sizes.values()) / len(transcript)
    spoken = sum(len(message.content.encode()) for message in messages)
    print(
        f"\n{TURNS} turns: {spoken} bytes of text, {len(transcript)} as LangGraph serialises it, "
        f"{sum(sizes.values())} in the database ({ratio:.2f} times): {sizes}"
    )
    assert ratio <= 2
