"""The servers that `make bench-rpc` compares: how each is built and started. Only ours and the limit must be there."""
import dataclasses, os, pathlib, shutil, subprocess, sys

from harness.report import FOLDER

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Benchmarks/rpc"
PROGRAMS = FOLDER / "bin"
RPC_BENCH = ROOT / ".build/release/rpc-bench"
GRPC_SWIFT = SOURCES / "peers/grpc-swift/.build/release/grpc-swift-bench"


class Missing(Exception):
    """Why a peer cannot be measured here."""


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    command: list  # PORT stands for the port
    build: object  # a function that makes the program, or throws Missing
    is_needed: bool = False
    reads_contracts: bool = False


def run(name, command, **options):
    """Runs a compiler with its output in a file."""
    log = ROOT / f".heartguard/logs/bench-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as output:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options).returncode
    if code:
        raise Missing(f"its build failed; see {log.relative_to(ROOT)}")


def build_limit():
    run("limit", ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-std=c11", "-o", str(PROGRAMS / "limit"),
                  str(SOURCES / "limit/echo.c"), "-lnghttp2"])


def build_ours():
    run("ours", ["swift", "build", "--package-path", str(ROOT), "-c", "release", "--product", "rpc-bench",
                 "--static-swift-stdlib"])


def build_grpc_swift():
    run("grpc-swift", ["swift", "build", "--package-path", str(SOURCES / "peers/grpc-swift"), "-c", "release",
                       "--static-swift-stdlib"])


def build_grpc_go():
    if not shutil.which("go") or not pathlib.Path("/usr/share/gocode/src/google.golang.org/grpc").is_dir():
        raise Missing("Debian's golang-go and golang-google-grpc-dev are not installed")
    run("grpc-go", ["go", "build", "-o", str(PROGRAMS / "grpc-go"), "."], cwd=SOURCES / "peers/grpc-go",
        env=dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode"))


def find_grpcio():
    if subprocess.run([sys.executable, "-c", "import grpc"], capture_output=True).returncode:
        raise Missing("PyPI's grpcio is not installed for this Python")


PEERS = [
    Peer("limit", [str(PROGRAMS / "limit"), "PORT"], build_limit, is_needed=True),
    Peer("bare", [str(RPC_BENCH), "serve", "--bare", "--port", "PORT"], build_ours, is_needed=True),
    Peer("full", [str(RPC_BENCH), "serve", "--full", "--port", "PORT"], build_ours, is_needed=True, reads_contracts=True),
    Peer("grpc-go", [str(PROGRAMS / "grpc-go"), "PORT"], build_grpc_go),
    Peer("grpc-swift-2", [str(GRPC_SWIFT), "serve", "PORT"], build_grpc_swift),
    Peer("grpcio", [sys.executable, str(SOURCES / "peers/grpc-python/server.py"), "PORT"], find_grpcio),
]

# Each prints one object of JSON: calls, seconds, cpu_us_per_call.
CLIENTS = {
    "full": lambda port, concurrency, calls: [
        str(RPC_BENCH), "client", "--port", str(port), "--concurrency", str(concurrency), "--calls", str(calls)],
    "grpc-swift-2": lambda port, concurrency, calls: [str(GRPC_SWIFT), "client", str(port), str(concurrency), str(calls)],
}
