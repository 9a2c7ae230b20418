#!/usr/bin/env python3
"""Gets or sets with PyPI's redis (asyncio, hiredis' parser): so many tasks over one connection pool.

Usage: redis_py.py PORT get|set CALLERS SECONDS
"""
import asyncio, json, random, sys, time

import redis.asyncio


async def call(client, kind, end):
    count = 0
    while time.monotonic() < end:
        key = f"key:{random.randrange(100_000):012}"
        await (client.get(key) if kind == "get" else client.set(key, "xxx"))
        count += 1
    return count


async def main():
    port, kind, callers, seconds = sys.argv[1:]
    client = redis.asyncio.Redis(port=int(port), max_connections=int(callers))
    for length in (0.25, float(seconds)):  # The first warms up.
        start = time.monotonic()
        counts = await asyncio.gather(*(call(client, kind, start + length) for _ in range(int(callers))))
        elapsed = time.monotonic() - start
    await client.aclose()
    print(json.dumps({"calls": sum(counts), "seconds": elapsed}))


if __name__ == "__main__":
    asyncio.run(main())
