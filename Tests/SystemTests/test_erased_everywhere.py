"""Somebody leaves, and no word that they said is found anywhere any more: not in the database, in either Redis, nor in the snapshots of Vectors."""

import redis
from client import exports as files
from client.erasures import finished, verified
from client.exports import FINISHED
from heartguard.chat.v1.chat_service_pb2 import ArchiveSessionRequest, ListSessionsRequest
from heartguard.gateway.v1.gateway_service_pb2 import GetPatientOverviewRequest
from heartguard.users.v1.users_service_pb2 import EraseAccountRequest, GetProfileRequest
from heartguard.vectors.v1.memories_pb2 import NewMemory
from heartguard.vectors.v1.memories_service_pb2 import UpsertMemoriesRequest
from test_audit import psql
from test_confidentiality import Canaries, plant_at
from waiting import until

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# What is planted of others: an account beside the person's, people who sign in nowhere, and a document of the operator's.
OTHERS = {
    "e-mail", "password", "name", "phone", "bad e-mail", "bad name", "wrong password", "unknown e-mail", "refresh token", "document",
    "key of metadata", "metadata",
}


class Words:
    """The person's words, in each form in which a store may have them."""

    def __init__(self, canary: Canaries):
        own = [(place, word) for place, word in canary.words if place not in OTHERS]
        self._words = [(place, word.removeprefix("canary").encode()) for place, word in own]

    def places_in(self, content: bytes) -> set[str]:
        """The places whose word is in these bytes, as it is or in hexadecimal digits, as PostgreSQL tells bytes. What is behind "canary"
        occurs nowhere before, so LZ4 leaves it as it is."""
        return {place for place, word in self._words if word in content or word.hex().encode() in content}


def in_tables(cluster, words: Words) -> dict[str, set[str]]:
    """Of each table and materialized view the places whose words are in it."""
    named = psql(
        cluster,
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'm') AND c.relispopulated AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_t%'",
    ).split()
    assert len(named) > 27
    found = {table: words.places_in(psql(cluster, f"COPY (SELECT * FROM {table}) TO STDOUT").encode()) for table in named}
    return {table: places for table, places in found.items() if places}


def entries(cluster, role: str):
    """Every key of a Redis, with all that is kept under it."""
    store = cluster.read()["stores"][f"redis_{role}"]
    read = {
        b"string": lambda server, key: server.get(key),
        b"hash": lambda server, key: server.hgetall(key),
        b"list": lambda server, key: server.lrange(key, 0, -1),
        b"set": lambda server, key: server.smembers(key),
        b"zset": lambda server, key: server.zrange(key, 0, -1),
        b"stream": lambda server, key: server.xrange(key),
    }
    with redis.Redis(host=store["host"], port=store["port"], password=cluster.credentials["redis"][role]) as server:
        for key in server.scan_iter(count=1000):
            kind = server.type(key)
            # gone meanwhile: it had an end
            if kind != b"none":
                yield key, _flat(read[kind](server, key))


def _flat(value) -> bytes:
    match value:
        case None:
            return b""
        case bytes():
            return value
        case dict():
            return b"\0".join(_flat(key) + b"\0" + _flat(one) for key, one in value.items())
        case _:
            return b"\0".join(_flat(one) for one in value)


def in_redis(cluster, role: str, words: Words) -> set[str]:
    return {place for key, value in entries(cluster, role) for place in words.places_in(key + b"\0" + value)}


def in_snapshots(cluster, words: Words) -> set[str]:
    kept = [file for file in (cluster.state / "vectors-snapshots").rglob("*") if file.is_file()]
    return {place for file in kept for place in words.places_in(file.read_bytes())}


def jobs_naming(cluster, person: bytes) -> list[bytes]:
    return [
        key
        for key, value in entries(cluster, "durable")
        if key.startswith((b"arq:", b"checkpoints:")) and person in (key + b"\0" + value).lower()
    ]


def test_no_word_of_who_has_left_is_anywhere(cluster, direct, front, gateway, operator, ada):
    canary = Canaries()
    plant_at(direct, ada, operator, canary)
    memory = NewMemory(id="m", content=canary("memory of Vectors"), memory_type="note", embedding=[1.0] * 384)
    ada.calls(direct.memories.UpsertMemories, UpsertMemoriesRequest(model_id=MODEL, memories=[memory]))
    words = Words(canary)
    assert files.finished(direct, ada, files.start(direct, ada).id).state == FINISHED

    def is_cached() -> bool:
        ada.calls(front.users.GetProfile, GetProfileRequest())
        ada.calls(gateway.GetPatientOverview, GetPatientOverviewRequest())
        return bool(in_redis(cluster, "cache", words))

    until(is_cached, "the profile is in the cache", every=0.2)
    for session in ada.calls(direct.chat.ListSessions, ListSessionsRequest()).sessions:
        ada.calls(direct.chat.ArchiveSession, ArchiveSessionRequest(session_id=session.id))
    before = set().union(*in_tables(cluster, words).values())
    assert {"new name", "drug", "value", "memory", "memory of Vectors", "title of a goal"} <= before

    erasure = ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password)).erasure
    removed = verified(cluster, finished(direct.users, operator, erasure.id).receipt)["removed"]

    assert removed["chat"]["session_archives"] >= 1 and removed["users"]["export_chunks"] >= 1
    assert in_tables(cluster, words) == {}
    assert in_redis(cluster, "durable", words) == set()
    assert in_redis(cluster, "cache", words) == set()
    assert in_snapshots(cluster, words) == set()
    person = ada.user.id.encode()
    until(lambda: not jobs_naming(cluster, person), "no job names the person", every=0.2)
