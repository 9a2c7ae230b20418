#!/usr/bin/env python3
"""Reads one vital by its key under row-level security with PyPI's asyncpg: BEGIN, identity, SELECT, COMMIT.

Usage: asyncpg_reads.py PORT DATABASE ROLE ROWS USERS CONNECTIONS SECONDS
"""
import asyncio, json, random, sys, time

import asyncpg


async def borrow(pool, rows, users, end):
    count = 0
    while time.monotonic() < end:
        row = random.randint(1, rows)
        async with pool.acquire() as connection, connection.transaction(readonly=True):
            await connection.fetchval("SELECT set_config('heartguard.user_id', $1, true)", str(row % users))
            vital = await connection.fetchrow("SELECT metric, value, taken_at FROM vitals WHERE id = $1", row)
        assert vital is not None, row
        count += 1
    return count


async def main():
    port, database, role, rows, users, connections, seconds = sys.argv[1:]
    size = int(connections)
    pool = await asyncpg.create_pool(host="127.0.0.1", port=int(port), database=database, user=role, min_size=size, max_size=size)
    async with pool:
        for length in (0.5, float(seconds)):  # The first warms up.
            start = time.monotonic()
            counts = await asyncio.gather(*(borrow(pool, int(rows), int(users), start + length) for _ in range(size)))
            elapsed = time.monotonic() - start
    print(json.dumps({"reads": sum(counts), "seconds": elapsed}))


if __name__ == "__main__":
    asyncio.run(main())
