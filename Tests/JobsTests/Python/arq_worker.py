"""An arq worker as it comes from PyPI: `arq_worker.py PORT QUEUE`. It ends with its standard input."""

import asyncio
import os
import signal
import sys
import threading

import heartguard_arq
from arq.connections import RedisSettings
from arq.worker import Retry, Worker


async def add(ctx, left, right):
    print("began", ctx["job_id"], ctx["job_try"], flush=True)
    return left + right


async def describe(ctx, *, name, tags):
    return {"name": name, "count": len(tags)}


async def fail(ctx):
    raise ValueError("no such reading")


async def second_time(ctx):
    if ctx["job_try"] < 2:
        raise Retry(defer=0.05)
    return ctx["job_try"]


async def sleep(ctx, *, milliseconds):
    print("began", ctx["job_id"], ctx["job_try"], flush=True)
    await asyncio.sleep(milliseconds / 1000)
    print("ended", ctx["job_id"], flush=True)


async def ready(ctx):
    print("ready", flush=True)


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    # What the tests start inherits a mask under which nobody could stop it.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    threading.Thread(target=end_with_input, daemon=True).start()
    Worker(
        functions=[add, describe, fail, second_time, sleep], redis_settings=RedisSettings(port=int(sys.argv[1])), queue_name=sys.argv[2],
        job_serializer=heartguard_arq.dumps, job_deserializer=heartguard_arq.loads, poll_delay=0.05, on_startup=ready,
        allow_abort_jobs=True,
    ).run()
