import os
import pathlib
import subprocess
import threading

import grpc
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("HEARTGUARD_HOSTILE_SERVER", str(ROOT / ".build/debug/HostileTestServer"))


class Server:
    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.method("Echo")(b"ready", wait_for_ready=True, timeout=20)

    def method(self, name):
        return self.channel.unary_unary(f"/hostile.Service/{name}")

    @property
    def running(self):
        """Handlers that are running, of those that are counted."""
        return int.from_bytes(self.method("Running")(b"", timeout=20), "big")

    @property
    def memory(self):
        """The resident memory of the server, in MiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise AssertionError("the server is gone")

    def holds(self, port):
        """Whether it has the connection that came from the port; a socket that no process has any more has no inode."""
        ours, theirs = (f"0100007F:{number:04X}" for number in (self.port, port))
        lines = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()]
        return any(line[1:3] == [ours, theirs] and line[9] != "0" for line in lines)

    def stop(self):
        self.channel.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def neighbour(server):
    """A well-behaved client on a connection of its own, which is answered all the time that a test takes."""
    answered, failures, done = 0, [], threading.Event()

    def go_on():
        nonlocal answered
        # Options that no other channel has make a connection of its own.
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{server.port}", options) as channel:
            echo = channel.unary_unary("/hostile.Service/Echo")
            while not done.is_set():
                try:
                    assert echo(b"hello", timeout=20) == b"hello"
                    answered += 1
                except grpc.RpcError as error:
                    failures.append(error)
                    return
                done.wait(0.01)

    thread = threading.Thread(target=go_on)
    thread.start()
    yield
    done.set()
    thread.join()
    assert not failures, f"the neighbour was not answered: {failures[0]}"
    assert answered > 0
    assert server.process.poll() is None, "the server has ended"


@pytest.fixture
def memory_grows_at_most(server):
    """Asserts a bound on what a test made the server keep while its peer was there."""
    before = server.memory

    def check(mebibytes):
        grown = server.memory - before
        assert grown <= mebibytes, f"the server's memory grew by {grown:.0f} MiB"

    return check
