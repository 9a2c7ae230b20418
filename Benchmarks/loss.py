#!/usr/bin/env python3
"""What callers notice when a store or a service falls silent: calls of the JSON door at 64 connections, as in services.py, while a process is stopped by
SIGSTOP, so that its connections stay and nothing answers, which is the worst way to be away. The same calls with all there come before each, in turn.

Expected, before measuring. A silent Redis of the cache: the limiter gives it 30 ms and then asks once a second, so of some 5,000 cached reads a second a handful
waits, and the 99th percentile stays; but every write waits for it twice, before and behind its change, for as long as a cache bears (250 ms), so 64
connections make some 120 writes a second. A silent durable Redis: the same once a second for reads, while PostgreSQL says whether a session stands, one more look-up for each
of two programs' calls but the Gateway, which has no PostgreSQL: half of the rate. Silent Vectors: nobody's business but its own callers', so nothing moves.

Usage: Benchmarks/loss.py [--quick] [--bin-path PATH]   It starts a cluster of its own and removes it.
"""
import contextlib, os, signal, time

from harness.figures import Figures
from harness.report import Report
from services import CALLS, asked, drive, register

LOSSES = {"the cache's Redis": ("stores", "redis_cache"), "the durable Redis": ("stores", "redis_durable"), "Vectors": ("services", "vectors")}
ASKED = ("latest", "record 1")
# How much longer the 99th percentile of a hundred calls may be while it is silent; writes tell each Redis, and wait for it.
BOUNDS = {("the cache's Redis", "latest"): 2, ("the durable Redis", "latest"): 3, ("Vectors", "latest"): 1.2, ("Vectors", "record 1"): 1.2}


@contextlib.contextmanager
def silent(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def measure(cluster, folder, figures, rounds, seconds):
    base, file = register(cluster, folder)
    for _ in range(rounds):
        for loss, (kind, name) in LOSSES.items():
            for what in ASKED:
                there = drive(base, what, file, seconds)
                with silent(cluster[kind][name]["pid"]):
                    away = drive(base, what, file, seconds, may_fail=True)
                # What waits and what is asked once a second comes to rest.
                time.sleep(2)
                for figure in ("rate", "p50", "p99"):
                    figures.record((loss, what, figure), "all there", there[figure])
                    figures.record((loss, what, figure), "silent", away[figure])
                figures.record((loss, what, "failed"), "silent", away["failed"])


def report(figures):
    table = Report("loss")
    for loss in LOSSES:
        for what in ASKED:
            name = f"{CALLS[what]}, {loss} silent"
            for who in ("all there", "silent"):
                table.row(name, who, "calls/s", round(figures.median((loss, what, "rate"), who)))
                for figure in ("p50", "p99"):
                    table.row(f"{name}, {figure}", who, "ms", round(figures.median((loss, what, figure), who), 2))
            table.row(f"{name}, failed", "silent", "of all", round(figures.median((loss, what, "failed"), "silent"), 5))
    for loss in LOSSES:
        for what in ASKED:
            table.at_most(f"{CALLS[what]}, {loss} silent: calls that failed", 0, round(figures.median((loss, what, "failed"), "silent"), 5))
    for (loss, what), bound in BOUNDS.items():
        table.at_most(f"{CALLS[what]}, {loss} silent: p99, silent / all there", bound, round(figures.ratio((loss, what, "p99"), "silent", "all there"), 2))
    table.show()
    table.write()


def main():
    figures = Figures()
    with asked(__doc__) as (cluster, folder, is_quick):
        measure(cluster, folder, figures, *((1, 2) if is_quick else (3, 4)))
    report(figures)


if __name__ == "__main__":
    main()
