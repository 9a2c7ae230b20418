"""Messages and metadata at their limits: what is too large ends its call, and the connection serves the next."""

import struct

import pytest
from peer import *

LIMIT = 4 << 20
OK, RESOURCE_EXHAUSTED = 0, 8


@pytest.mark.parametrize("size, status", [(LIMIT - 1, OK), (LIMIT, OK), (LIMIT + 1, RESOURCE_EXHAUSTED)])
def test_a_request_at_the_limit(server, size, status):
    with Peer(server.port, settings=struct.pack(">HI", 4, 1 << 20)) as peer:
        assert peer.call("Echo", bytes(size))[0] == status
        assert peer.call("Echo", b"on") == (OK, b"on")


@pytest.mark.parametrize("size, status", [(LIMIT - 1, OK), (LIMIT, OK), (LIMIT + 1, RESOURCE_EXHAUSTED)])
def test_a_response_at_the_limit(server, size, status):
    with Peer(server.port, settings=struct.pack(">HI", 4, 1 << 20)) as peer:
        found, body = peer.call("Answer", struct.pack(">I", size))

        assert found == status
        assert len(body) == (size if status == OK else 0)
        assert peer.call("Echo", b"on") == (OK, b"on")


@pytest.mark.parametrize("count, status", [(100, OK), (200, RESOURCE_EXHAUSTED), (2_000, RESOURCE_EXHAUSTED)])
def test_metadata_at_the_limit(server, count, status):
    """Sixteen kilobytes, where a field counts as its name, its value and 32 bytes."""
    more = [("x-some-name", f"{number:040}") for number in range(count)]
    with Peer(server.port) as peer:
        block = call_fields(more=more)
        pieces = [block[start:start + 16_000] for start in range(0, len(block), 16_000)]
        data = frame(HEADERS, END_HEADERS if len(pieces) == 1 else 0, 1, pieces[0])
        for index, piece in enumerate(pieces[1:]):
            data += frame(CONTINUATION, END_HEADERS if index == len(pieces) - 2 else 0, 1, piece)
        peer.send(data + frame(DATA, END_STREAM, 1, message(b"a")))
        peer.next_stream = 3

        assert peer.answer(1)[0] == status
        assert peer.call("Echo", b"on") == (OK, b"on")
