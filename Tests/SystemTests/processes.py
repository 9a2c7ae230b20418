"""The processes of a cluster, by the ids that cluster.json gives, and signals to them."""

import contextlib
import os
import pathlib
import signal

from client.cluster import SERVICES, Cluster

STORES = ("postgres", "redis_durable", "redis_cache")
PROGRAMS = {name: f"heartguard-{name}" for name in (*SERVICES, "gateway")} | {
    "postgres": "postgres",
    "redis_durable": "redis-server",
    "redis_cache": "redis-server",
}


def pid_of(cluster: Cluster, name: str) -> int | None:
    description = cluster.read()
    if name == "gateway":
        return description["gateway"].get("pid")
    return (description["services"] | description["stores"])[name].get("pid")


def _checked(cluster: Cluster, name: str) -> int:
    """The id, after a look that the process is what it should be: an id may have been given to another meanwhile."""
    pid = pid_of(cluster, name)
    assert pid, f"{name} does not run"
    program = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    assert PROGRAMS[name] in program, f"process {pid} is {program} and not {name}"
    return pid


def kill(cluster: Cluster, name: str) -> int:
    """kill -9: the process gets to finish nothing. Answers which it was."""
    pid = _checked(cluster, name)
    os.kill(pid, signal.SIGKILL)
    return pid


def stop(cluster: Cluster, name: str) -> int:
    """Asks the process to finish what it has begun and to end. Answers which it was."""
    pid = _checked(cluster, name)
    os.kill(pid, signal.SIGTERM)
    return pid


@contextlib.contextmanager
def paused(cluster: Cluster, name: str):
    """The process is there and does nothing: it neither answers nor lets go of its connections."""
    pid = _checked(cluster, name)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def nobody_restarting(cluster: Cluster):
    """What is killed here stays down until the end of the block, so that a test can look at the cluster without it."""
    pid = cluster.read()["supervisor"]
    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    assert b"run-supervisor" in command, f"process {pid} is not the supervisor"
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
