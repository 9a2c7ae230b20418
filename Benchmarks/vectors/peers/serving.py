"""What the peers behind a port share: files of vectors, the commands on standard input, and what a server's processes have used.

A peer is given BASE QUERIES THREADS M EF_CONSTRUCTION, fills its server, answers with what that took, and then each line on standard
input with an object of JSON:

    search EF TRUTH [ids]     every query once, so many open at a time; ids: without the texts, for those that can
    latency EF [ids]          every query once, one at a time

The server keeps to one core and who asks it to another. An answer has ten ids with their texts, whoever gives it.
"""
import json, os, pathlib, statistics, sys, time

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

K, OPEN = 10, 8
SERVER_CORE, CLIENT_CORE = 0, os.cpu_count() - 1
TICK = os.sysconf("SC_CLK_TCK")


def vectors(path):
    words = numpy.memmap(path, dtype=numpy.int32, mode="r")
    return words.reshape(-1, 1 + words[0])[:, 1:].view(numpy.float32)


def truth(path):
    words = numpy.fromfile(path, dtype=numpy.int32)
    return words.reshape(-1, 1 + words[0])[:, 1:1 + K]


def text(key):
    """What a document says: as long as a short passage."""
    return f"Passage {key}. " + "What is said of a heart in some two hundred characters as a rule. " * 3


def answer(figures):
    print(json.dumps(figures), flush=True)


def processes(parent):
    """A process and all below it."""
    children = pathlib.Path(f"/proc/{parent}/task").glob("*/children")
    below = [int(child) for file in children for child in file.read_text().split()]
    return [parent, *(process for child in below for process in processes(child))]


def cpu_seconds(parent):
    total = 0
    for process in processes(parent):
        try:
            fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def anonymous_bytes(parent):
    total = 0
    for process in processes(parent):
        try:
            status = pathlib.Path(f"/proc/{process}/status").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon:"))
    return total


def pin(parent, *cores):
    for process in processes(parent):
        for thread in os.listdir(f"/proc/{process}/task"):
            os.sched_setaffinity(int(thread), set(cores) & set(range(os.cpu_count())))


def serve(peer, pid, count):
    """Answers the commands. `peer.search(ef, open)` gives the keys that each query found; `peer.times(ef)` the seconds of each."""
    for line in sys.stdin:
        words = line.split()
        if hasattr(peer, "tell"):
            peer.tell(ids_alone=words[-1] == "ids")
        if words[0] == "latency":
            times = sorted(peer.times(int(words[1])))
            answer({"p50_ms": statistics.median(times) * 1e3, "p99_ms": times[len(times) * 99 // 100] * 1e3})
            continue
        peer.search(int(words[1]), OPEN)
        busy, used, start = time.process_time(), cpu_seconds(pid), time.perf_counter()
        found = peer.search(int(words[1]), OPEN)
        seconds = time.perf_counter() - start
        client = time.process_time() - busy
        nearest = truth(words[2])
        hits = sum(len(set(one) & set(map(int, other))) for one, other in zip(peer.keys(found), nearest))
        answer({"qps": count / seconds, "cpu_qps": count / max(cpu_seconds(pid) - used, 1 / TICK), "recall": hits / nearest.size,
                "client_busy": client / seconds})
