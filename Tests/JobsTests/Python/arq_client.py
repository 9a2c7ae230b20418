"""arq's client as it comes from PyPI: `arq_client.py PORT QUEUE`. Reads lines of JSON and answers each with one."""

import asyncio
import datetime
import json
import sys

import heartguard_arq
from arq import create_pool
from arq.connections import RedisSettings
from arq.jobs import Job


async def answer(pool, queue, ask):
    if ask["do"] == "enqueue":
        options = {}
        if "id" in ask:
            options["_job_id"] = ask["id"]
        if "defer" in ask:
            options["_defer_until"] = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=ask["defer"])
        if "expires" in ask:
            options["_expires"] = ask["expires"]
        if "try" in ask:
            options["_job_try"] = ask["try"]
        job = await pool.enqueue_job(ask["function"], *ask.get("args", []), **ask.get("kwargs", {}), **options)
        return job and job.job_id
    job = Job(ask["id"], pool, _queue_name=queue, _deserializer=heartguard_arq.loads)
    if ask["do"] == "status":
        return (await job.status()).value
    if ask["do"] == "abort":
        return await job.abort(timeout=60, poll_delay=0.02)
    if ask["do"] == "info":
        info = await job.info()
        return info and [info.function, list(info.args), info.kwargs, info.enqueue_time.timestamp()]
    try:
        return {"result": await job.result(timeout=60, poll_delay=0.02)}
    except Exception as error:
        return {"raised": type(error).__name__, "kind": getattr(error, "kind", None), "message": str(error)}


async def main():
    pool = await create_pool(
        RedisSettings(port=int(sys.argv[1])), job_serializer=heartguard_arq.dumps, job_deserializer=heartguard_arq.loads,
        default_queue_name=sys.argv[2])
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print("answer", json.dumps(await answer(pool, sys.argv[2], json.loads(line))), flush=True)


asyncio.run(main())
