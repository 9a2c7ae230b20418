"""Loads a gRPC server with Debian's h2load, HTTP/2 without TLS."""
import array, dataclasses, os, pathlib, re, subprocess, tempfile

from harness.process import pin


@dataclasses.dataclass(frozen=True)
class Shape:
    """How many connections, and how many streams are open on each."""
    connections: int
    streams: int

    def __str__(self):
        return f"{self.connections}×{self.streams}"


@dataclasses.dataclass
class Load:
    requests: int
    seconds: float
    latencies: array.array = None  # microseconds, sorted

    @property
    def rate(self):
        return self.requests / self.seconds

    def percentile(self, share):
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


class LoadError(RuntimeError):
    pass


def run(port, method, body, shape, requests, core, answer_bytes, log=False):
    """Makes the requests and returns when the last is answered. Throws when one is not answered with `answer_bytes`
    bytes of body, for an RPC that fails has none, and HTTP calls it a success."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "log"
        command = ["h2load", "-n", str(requests), "-c", str(shape.connections), "-m", str(shape.streams), "-t", "1",
                   "-d", str(body), "-H", "content-type: application/grpc", "-H", "te: trailers",
                   "-H", "grpc-timeout: 10S", f"http://127.0.0.1:{port}/grpc.testing.BenchmarkService/{method}"]
        if log:
            command[1:1] = ["--log-file", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pin(core))
        text = done.stdout + done.stderr
        counts = re.search(r"requests: (\d+) total, \d+ started, \d+ done, (\d+) succeeded", text)
        seconds = re.search(r"finished in ([\d.]+)(us|ms|s|m),", text)
        data = re.search(r"\((\d+)\) data", text)
        if done.returncode or not (counts and seconds and data):
            raise LoadError(f"h2load could not measure: {text[-2000:]}")
        if int(counts[2]) != requests or int(data[1]) != requests * answer_bytes:
            raise LoadError(f"not every call was answered as it should: {requests * answer_bytes} bytes expected\n{text[-2000:]}")
        unit = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[seconds[2]]
        return Load(requests, float(seconds[1]) * unit, latencies(file) if log else None)


def latencies(file):
    """Each line has the start, the HTTP status and the time to the end of the stream in microseconds."""
    with open(file) as lines:
        return array.array("l", sorted(int(line.rsplit("\t", 1)[1]) for line in lines))
