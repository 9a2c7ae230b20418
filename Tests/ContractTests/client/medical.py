"""The medical texts of Samples/ with their embeddings, and what is truly nearest to each question."""

import functools
import heapq
import json
import operator
import pathlib
import struct

SAMPLE = pathlib.Path(__file__).parents[3] / "Samples" / "medical"
MODEL = "all-MiniLM-L6-v2"
DIMENSION = 384


def _texts(name: str) -> list[dict]:
    return [json.loads(line) for line in (SAMPLE / name).read_text().splitlines()]


def _vectors(name: str) -> list[tuple[float, ...]]:
    """.fvecs: for each vector its dimension as int32, then so many float32, little-endian."""
    layout = struct.Struct(f"<i{DIMENSION}f")
    rows = list(layout.iter_unpack((SAMPLE / name).read_bytes()))
    assert all(row[0] == DIMENSION for row in rows)
    return [row[1:] for row in rows]


@functools.cache
def documents() -> list[dict]:
    vectors = _vectors("documents.fvecs")
    return [{**text, "embedding": vector} for text, vector in zip(_texts("documents.jsonl"), vectors, strict=True)]


@functools.cache
def questions() -> list[dict]:
    vectors = _vectors("questions.fvecs")
    return [{**text, "embedding": vector} for text, vector in zip(_texts("questions.jsonl"), vectors, strict=True)]


@functools.cache
def known_items() -> list[dict]:
    """Queries that look for one document, their target."""
    vectors = _vectors("known-items.fvecs")
    return [{**text, "embedding": vector} for text, vector in zip(_texts("known-items.jsonl"), vectors, strict=True)]


def cosine(one, other) -> float:
    """The vectors of the sample have length 1."""
    return sum(map(operator.mul, one, other))


def nearest(embedding, limit: int, among: list[dict] | None = None) -> list[tuple[float, str]]:
    """Score and id of the nearest documents, nearest first, found by looking at every one."""
    among = documents() if among is None else among
    return heapq.nlargest(limit, ((cosine(embedding, document["embedding"]), document["id"]) for document in among))
