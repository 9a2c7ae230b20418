"""Where a running cluster is: what cluster.json and the files that it names say."""

import json
import os
import pathlib
import ssl

import grpc

SERVICES = ("users", "vitals", "chat", "vectors")
EVERYWHERE = ("gateway", *SERVICES)


class Cluster:
    """One running cluster. The file is read anew for process ids, which change when a process is restarted."""

    def __init__(self, file: pathlib.Path):
        self._file = file
        self._channels: dict[str, grpc.Channel] = {}
        self.description = self.read()
        self.state = pathlib.Path(self.description["state"])
        self.logs = pathlib.Path(self.description["logs"])
        self.authority = self.description["tls"]["ca"]
        self.credentials = json.loads(pathlib.Path(self.description["credentials"]).read_text())

    @classmethod
    def running(cls) -> "Cluster":
        """The cluster that HEARTGUARD_CLUSTER_JSON names."""
        name = os.environ.get("HEARTGUARD_CLUSTER_JSON", "")
        if not name or not pathlib.Path(name).is_file():
            raise LookupError(
                "HEARTGUARD_CLUSTER_JSON names no cluster.json of a running cluster. `make test` starts one for these "
                "tests; for another: HEARTGUARD_CLUSTER_JSON=.heartguard/cluster.json pytest Tests/ContractTests"
            )
        return cls(pathlib.Path(name))

    def read(self) -> dict:
        return json.loads(self._file.read_text())

    def address(self, name: str) -> str:
        if name == "gateway":
            gateway = self.description["gateway"]
            return f"{gateway['host']}:{gateway['grpc']}"
        service = self.description["services"][name]
        return f"{service['host']}:{service['port']}"

    def channel(self, name: str) -> grpc.Channel:
        """One connection to each program for the whole run."""
        if name not in self._channels:
            self._channels[name] = self.new_channel(name)
        return self._channels[name]

    def new_channel(self, name: str, showing: str | None = None) -> grpc.Channel:
        """A channel to a program; with `showing`, one that shows the certificate of that program of the cluster."""
        trust = self._credentials(showing)
        # after a restart the next attempt comes soon, and answers may be as large as a page gets
        options = [
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.min_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", 64 << 20),
        ]
        return grpc.secure_channel(self.address(name), trust, options)

    def authority_bytes(self) -> bytes:
        return pathlib.Path(self.authority).read_bytes()

    def _credentials(self, showing: str | None) -> grpc.ChannelCredentials:
        roots = pathlib.Path(self.authority)
        if showing is None:
            return grpc.ssl_channel_credentials(roots.read_bytes())
        key, certificate = ((roots.parent / f"{showing}.{end}").read_bytes() for end in ("key", "crt"))
        return grpc.ssl_channel_credentials(roots.read_bytes(), key, certificate)

    @property
    def json_address(self) -> tuple[str, int]:
        gateway = self.description["gateway"]
        return gateway["host"], gateway["json"]

    def metrics_url(self, name: str) -> str:
        """Where a program tells its metrics."""
        program = self.description["gateway"] if name == "gateway" else self.description["services"][name]
        return f"http://{program['host']}:{program['metrics']}/metrics"

    def tls_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)

    def close(self) -> None:
        for channel in self._channels.values():
            channel.close()
