#!/usr/bin/env python3
"""Measures what windows that grow are worth on a long way: .heartguard/venv/bin/python Benchmarks/windows.py [SECONDS]

Between a client (PyPI grpcio) and a server of ours stands a relay that holds every byte back for ten milliseconds, so that
a round trip takes twenty; a kernel without netem has no other delay to offer. The relay takes all that it is given, so
what bounds the bytes on their way are HTTP/2's windows alone. The client sends a stream of messages of 100 KB, then of
1 MB. Compared are fixed windows of 64 KiB and windows that begin with as much, or with the default, and grow.

Expected: a fixed window carries itself once in a round trip, 3.3 MB/s. A growing one is bounded by its limit of 4 MiB,
210 MB/s, or by what relay and client can move on the same cores, whichever is less.
"""

import asyncio
import os
import pathlib
import subprocess
import sys
import threading
import time

import grpc

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = os.environ.get("HEARTGUARD_HOSTILE_SERVER", str(ROOT / ".build/debug/HostileTestServer"))
DELAY = 0.010


async def relay(reader, writer):
    """Hands on what arrives, ten milliseconds later."""
    queue = asyncio.Queue()

    async def take():
        while data := await reader.read(1 << 20):
            queue.put_nowait((time.monotonic() + DELAY, data))
        queue.put_nowait((0, b""))

    async def give():
        while True:
            due, data = await queue.get()
            if not data:
                break
            await asyncio.sleep(max(0, due - time.monotonic()))
            writer.write(data)
            await writer.drain()
        writer.close()

    try:
        await asyncio.gather(take(), give())
    except ConnectionError:
        writer.close()


def start_relay(port):
    """A relay to the port, on a thread of its own; its own port."""
    ready, found = threading.Event(), []

    async def connected(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
        await asyncio.gather(relay(reader, back), relay(there, writer))

    async def main():
        listener = await asyncio.start_server(connected, "127.0.0.1", 0, limit=1 << 20)
        found.append(listener.sockets[0].getsockname()[1])
        ready.set()
        await listener.serve_forever()

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    ready.wait()
    return found[0]


def rate(port, size, seconds):
    """Megabytes a second of one stream of messages."""
    with grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.max_send_message_length", -1)]) as channel:
        upload = channel.stream_unary("/hostile.Service/Upload")
        message, sent = bytes(size), 0
        start = time.monotonic()

        def messages():
            nonlocal sent
            while time.monotonic() - start < seconds:
                sent += 1
                yield message

        upload(messages())
        return sent * size / (time.monotonic() - start) / 1e6


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5
    for name, window, limit in [
        ("fixed at 64 KiB", 64 << 10, 64 << 10), ("from 64 KiB up to 4 MiB", 64 << 10, 4 << 20),
        ("fixed at 256 KiB", 256 << 10, 256 << 10), ("from 256 KiB up to 4 MiB", 256 << 10, 4 << 20),
    ]:
        environment = {**os.environ, "STREAM_WINDOW_BYTES": str(window), "MAX_STREAM_WINDOW_BYTES": str(limit)}
        server = subprocess.Popen([PROGRAM], stdout=subprocess.PIPE, text=True, env=environment)
        try:
            port = start_relay(int(server.stdout.readline()))
            for size in (100_000, 1_000_000):
                print(f"  {name:26} {size // 1000:5} KB messages  {rate(port, size, seconds):7.1f} MB/s", flush=True)
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
