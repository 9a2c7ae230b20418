#!/usr/bin/env python3
"""Our own service: a cluster of its own whose Vectors has the vectors as a collection, searched at its own port by Benchmarks/vectors/Client
over gRPC and TLS. Vectors keeps to one core; who asks it, and Postgres, which has the texts, to the other. serving.py says what this is told.
Besides:

    restart                   kill -9 of Vectors: the seconds until anything is answered, and until it is answered from the index. The last command.

Usage: as the others', with the folder of the built programs behind."""
import json, os, pathlib, signal, subprocess, sys, time

import grpc
import serving

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "Tests/ContractTests"), str(ROOT / "Benchmarks")]

from client import contracts  # noqa: E402

contracts.generate()

from client import people  # noqa: E402
from client.cluster import Cluster  # noqa: E402
from client.doors import Door  # noqa: E402
from client.tokens import Forger  # noqa: E402
from harness.cluster import started  # noqa: E402
from heartguard.vectors.v1 import index_service_pb2, transfer_service_pb2, vectors_pb2, vectors_service_pb2, vectors_service_pb2_grpc  # noqa: E402

NAME, MODEL, BATCH = "bench", "bench-model", 500
HOURS = 12


def imports(rows, keys):
    for first in range(keys.start, keys.stop, BATCH):
        request = transfer_service_pb2.ImportDocumentsRequest(collection=NAME, model_id=MODEL)
        for key in range(first, min(first + BATCH, keys.stop)):
            request.documents.add(id=str(key), content=serving.text(key), embedding=rows[key].tolist())
        yield request


def fill(door, operator, rows):
    made = vectors_service_pb2.CreateCollectionRequest(
        name=NAME, model_id=MODEL, dimension=rows.shape[1], metric=vectors_pb2.METRIC_COSINE)
    operator.calls(door.vectors.CreateCollection, made)
    position = 0
    # A stream has 300 seconds at most.
    for first in range(0, len(rows), 25_000):
        part = range(first, min(first + 25_000, len(rows)))
        for answer in door.transfer.ImportDocuments(imports(rows, part), metadata=operator.metadata, timeout=290):
            position = answer.position
    while True:
        listed = operator.calls(door.indexes.ListIndexes, index_service_pb2.ListIndexesRequest()).indexes
        mine = next((index for index in listed if index.collection == NAME), None)
        if mine and mine.state == index_service_pb2.INDEX_STATE_SERVING and mine.position >= position:
            return
        time.sleep(0.2)


def restart(cluster, operator, process, query):
    """The supervisor starts it again, and it reads its snapshot and the rows behind that."""
    options = [(f"grpc.{which}_reconnect_backoff_ms", 50) for which in ("initial", "min", "max")]
    trust = grpc.ssl_channel_credentials(cluster.authority_bytes())
    request = vectors_service_pb2.SearchRequest(collection=NAME, model_id=MODEL, embedding=query, limit=serving.K)
    # It is killed with all threads on one core, and its successor has both.
    os.kill(process, signal.SIGKILL)
    start, first = time.perf_counter(), None
    with grpc.secure_channel(cluster.address("vectors"), trust, options) as channel:
        search = vectors_service_pb2_grpc.VectorsServiceStub(channel).Search
        while True:
            try:
                answer = operator.calls(search, request, timeout=5)
                first = first or time.perf_counter() - start
                if not answer.degraded:
                    return {"first_seconds": first, "index_seconds": time.perf_counter() - start}
            except grpc.RpcError:
                pass
            time.sleep(0.02)


def main():
    base, questions, threads, m, ef_construction = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    programs = sys.argv[6]
    rows, queries = serving.vectors(base), serving.vectors(questions)
    settings = {"HEARTGUARD_VECTORS_M": str(m), "HEARTGUARD_VECTORS_EF_CONSTRUCTION": str(ef_construction), "HEARTGUARD_VECTORS_INDEX_THREADS": str(threads)}
    with started(programs, **settings) as (cluster, _):
        measure(Cluster(pathlib.Path(cluster["state"]) / "cluster.json"), rows, questions, queries, programs)


def measure(cluster, rows, questions, queries, programs):
    door = Door(cluster, through_gateway=False)
    account = cluster.credentials["operator"]
    operator = people.log_in(door.users, account["email"], account["password"])
    # One that lasts for as long as the benchmark does.
    token = Forger(cluster, operator.tokens.access_token).token(claims={"exp": int(time.time()) + HOURS * 3600})
    operator.tokens.access_token = token
    service = cluster.read()["services"]["vectors"]
    before, used, start = serving.anonymous_bytes(service["pid"]), serving.cpu_seconds(service["pid"]), time.perf_counter()
    fill(door, operator, rows)
    serving.answer({"seconds": time.perf_counter() - start, "cpu_seconds": serving.cpu_seconds(service["pid"]) - used,
                    "anonymous_bytes": serving.anonymous_bytes(service["pid"]) - before})
    serving.pin(service["pid"], serving.SERVER_CORE)
    # By taskset, and not between fork and exec: a fork that Python takes part in has grpc close descriptors here, once the client's own.
    command = ["taskset", "--cpu-list", serving.CLIENT_CORE, f"{programs}/vectors-client-bench", "--port", service["port"], "--authority", cluster.authority, "--collection", NAME,
               "--model", MODEL, "--queries", questions, "--k", serving.K, "--concurrency", serving.OPEN]
    client = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=os.environ | {"HEARTGUARD_BENCH_TOKEN": token})
    for line in sys.stdin:
        if line.strip() == "restart":
            serving.answer(restart(cluster, operator, service["pid"], queries[0].tolist()))
            continue
        used = serving.cpu_seconds(service["pid"])
        client.stdin.write(line)
        client.stdin.flush()
        said = client.stdout.readline()
        if not said:
            raise RuntimeError(f"the client ended with {client.wait()}")
        figures = json.loads(said)
        if "qps" in figures:
            # With the tenth that comes first, unmeasured.
            figures["cpu_qps"] = len(queries) * 1.1 / max(serving.cpu_seconds(service["pid"]) - used, 1 / serving.TICK)
        serving.answer(figures)
    client.stdin.close()
    client.wait()


if __name__ == "__main__":
    main()
