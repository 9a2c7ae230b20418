"""A second replica of a program."""

import json
import pathlib
import socket
import subprocess

import grpc
from heartguard.vectors.v1 import aliases_service_pb2_grpc, index_service_pb2_grpc, vectors_service_pb2_grpc


class Replica:
    """A second replica of a service of the cluster, with a port of its own, started again as often as it is killed: the supervisor would let it
    wait for longer each time."""

    def __init__(self, cluster, name: str, folder: pathlib.Path, **settings: str):
        plan = json.loads((cluster.state / "supervisor/plan.json").read_text())
        planned = next(process for process in plan["processes"] if process["name"] == name)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self._command = [planned["executable"], *planned["arguments"]]
        self._environment = dict(line.split("=", 1) for line in planned["environment"]) | {
            "HEARTGUARD_LISTEN_PORT": str(port),
            "HEARTGUARD_OPERATOR_PORT": "0",
        } | settings
        self._log = folder / f"{name}.log"
        self._process = None
        trust = grpc.ssl_channel_credentials(cluster.authority_bytes())
        options = [(f"grpc.{which}_reconnect_backoff_ms", 50) for which in ("initial", "min", "max")]
        self.channel = grpc.secure_channel(f"127.0.0.1:{port}", trust, options)

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._environment, stdout=log, stderr=log)

    def kill(self):
        assert self._process.poll() is None, f"it ended by itself with {self._process.returncode}: {self.said()[-500:]}"
        self._process.kill()
        self._process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(timeout=30)
        self.channel.close()


class VectorsReplica(Replica):
    """A second Vectors, with a folder for snapshots of its own."""

    def __init__(self, cluster, folder: pathlib.Path):
        super().__init__(
            cluster, "vectors", folder,
            HEARTGUARD_VECTORS_SNAPSHOT_FOLDER=str(folder / "snapshots"), HEARTGUARD_VECTORS_SNAPSHOT_CHANGES="20",
        )
        self.vectors = vectors_service_pb2_grpc.VectorsServiceStub(self.channel)
        self.aliases = aliases_service_pb2_grpc.AliasesServiceStub(self.channel)
        self.indexes = index_service_pb2_grpc.IndexServiceStub(self.channel)
