"""The servers under test, ours and Python's, and what is called through."""

import contextlib
import pathlib
import subprocess

import grpc
import pytest
from caching_proxy import caching_proxy
from certificates import NAME, Certificates
from python_server import python_server

BINARIES = pathlib.Path(__file__).parents[2] / ".build/debug"


class Server:
    """Where a server listens, and how to reach it."""

    def __init__(self, port: int, certificates: Certificates | None):
        self.port, self.certificates = port, certificates

    def channel(self, **arguments) -> grpc.Channel:
        address = f"127.0.0.1:{self.port}"
        if self.certificates is None:
            return grpc.insecure_channel(address, **arguments)
        trust = grpc.ssl_channel_credentials(pathlib.Path(self.certificates.authority).read_bytes())
        options = [("grpc.ssl_target_name_override", NAME)]
        return grpc.secure_channel(address, trust, options=options, **arguments)

    def run_our_client(self, test_case: str, *flags: str) -> str:
        """Our client passes the test, or this fails with what it said. What it said beside that."""
        command = [BINARIES / "interop-client", f"--server_port={self.port}", f"--test_case={test_case}"]
        if self.certificates is not None:
            trust = [f"--ca_file={self.certificates.authority}", f"--server_host_override={NAME}"]
            command += ["--use_tls=true", "--use_test_ca=true", *trust]
        run = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=100)
        assert run.returncode == 0, run.stdout + run.stderr
        assert run.stdout == f"{test_case}: passed\n"
        return run.stderr


@contextlib.contextmanager
def our_server(certificates: Certificates | None):
    """Our server, on a port that the system chose."""
    command = [BINARIES / "interop-server", "--port=0"]
    if certificates is not None:
        files = [f"--tls_cert_file={certificates.certificate}", f"--tls_key_file={certificates.key}"]
        command += ["--use_tls=true", *files]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on "), line
            yield Server(int(line.rpartition(":")[2]), certificates)
            assert process.poll() is None, "the server has ended by itself"
        finally:
            process.terminate()


@pytest.fixture(scope="session", params=["plain", "tls"])
def certificates(request, tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("certificates")) if request.param == "tls" else None


@pytest.fixture(scope="session")
def ours(certificates):
    with our_server(certificates) as server:
        yield server


@pytest.fixture(scope="session")
def pythons(certificates):
    with python_server(certificates) as port:
        yield Server(port, certificates)


@pytest.fixture(scope="session")
def cached():
    """Our server behind a proxy that keeps what it may."""
    with our_server(None) as server, server.channel() as channel, caching_proxy(channel) as port:
        yield Server(port, None)
