#!/usr/bin/env python3
"""PyPI's chromadb behind its HTTP server, asked as its own client asks, over connections that stay open. serving.py says what this is told."""
import concurrent.futures, http.client, json, os, pathlib, sys, tempfile, time

import serving
from harness.process import Server

PROGRAM = pathlib.Path(sys.executable).parents[2] / "chroma/bin/chroma"
COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
BATCH = 2_000


class Chroma:
    def __init__(self, port, queries, m, ef_construction):
        self.port = port
        self.connections = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(serving.OPEN)]
        self.threads = concurrent.futures.ThreadPoolExecutor(serving.OPEN)
        configuration = {"hnsw": {"space": "ip", "ef_construction": ef_construction, "max_neighbors": m, "ef_search": 100}}
        made = self.ask("POST", COLLECTIONS, {"name": "bench", "configuration": configuration})
        self.path, self.ef = f"{COLLECTIONS}/{json.loads(made)['id']}", 100
        # Written before the clock runs.
        self.views = {told: [json.dumps({"query_embeddings": [row.tolist()], "n_results": serving.K, "include": [told]}).encode() for row in queries]
                      for told in ("documents", "distances")}
        self.bodies = self.views["documents"]

    def tell(self, ids_alone):
        self.bodies = self.views["distances" if ids_alone else "documents"]

    def ask(self, method, path, content, connection=0):
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.connections[connection].request(method, path, body, {"Content-Type": "application/json"})
        response = self.connections[connection].getresponse()
        said = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status}: {said[:300]}")
        return said

    def fill(self, rows):
        for first in range(0, len(rows), BATCH):
            keys = range(first, min(first + BATCH, len(rows)))
            self.ask("POST", f"{self.path}/add", {
                "ids": [str(key) for key in keys], "embeddings": rows[keys.start:keys.stop].tolist(),
                "documents": [serving.text(key) for key in keys]})

    def _set(self, ef):
        if ef != self.ef:
            self.ask("PUT", self.path, {"new_configuration": {"hnsw": {"ef_search": ef}}})
            self.ef = ef

    def search(self, ef, open):
        self._set(ef)
        path, answers = f"{self.path}/query", [b""] * len(self.bodies)

        def some(connection):
            for number in range(connection, len(self.bodies), open):
                answers[number] = self.ask("POST", path, self.bodies[number], connection)

        list(self.threads.map(some, range(open)))
        return answers

    def times(self, ef):
        self._set(ef)
        taken = []
        for body in self.bodies:
            start = time.perf_counter()
            self.ask("POST", f"{self.path}/query", body)
            taken.append(time.perf_counter() - start)
        return taken

    @staticmethod
    def keys(answers):
        return [[int(id) for id in json.loads(answer)["ids"][0]] for answer in answers]


def main():
    base, questions, threads, m, ef_construction = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    if not PROGRAM.exists():
        sys.exit(f"{PROGRAM} is missing; run Scripts/setup-bench vectors")
    os.sched_setaffinity(0, {serving.CLIENT_CORE})
    rows, queries = serving.vectors(base), serving.vectors(questions)
    with tempfile.TemporaryDirectory() as folder:
        command = [str(PROGRAM), "run", "--path", f"{folder}/data", "--host", "127.0.0.1", "--port", "PORT"]
        server = Server("chromadb", command, serving.SERVER_CORE, f"{folder}/log")
        try:
            server.wait()
            # It may build on the threads that the others have.
            serving.pin(server.process.pid, *range(threads))
            peer, before = Chroma(server.port, queries, m, ef_construction), serving.anonymous_bytes(server.process.pid)
            start, used = time.perf_counter(), serving.cpu_seconds(server.process.pid)
            peer.fill(rows)
            serving.answer({"seconds": time.perf_counter() - start, "cpu_seconds": serving.cpu_seconds(server.process.pid) - used,
                            "anonymous_bytes": serving.anonymous_bytes(server.process.pid) - before})
            serving.pin(server.process.pid, serving.SERVER_CORE)
            serving.serve(peer, server.process.pid, len(queries))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
