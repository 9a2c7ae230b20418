"""Peers that make work: each is stopped or starved, the server's memory stays bounded, and its neighbours are answered."""

import socket
import struct

import pytest
from peer import *

BURST = 20_000


def test_streams_that_are_begun_and_reset(server, memory_grows_at_most):
    """Rapid reset, CVE-2023-44487."""
    with Peer(server.port) as peer:
        for start in range(0, BURST, 100):
            data = b""
            for number in range(start, start + 100):
                stream = 2 * number + 1
                data += frame(HEADERS, END_HEADERS, stream, call_fields("Upload"))
                data += frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))
            if not peer.send(data):
                break
        code = peer.end()

    assert code in (None, ENHANCE_YOUR_CALM, INTERNAL_ERROR)
    assert wait_until(lambda: server.running == 0)
    memory_grows_at_most(64)


def test_streams_whose_handlers_do_not_stop(server, memory_grows_at_most):
    """A handler that goes on after its stream has been reset keeps its place (grpc-go, GHSA-m425-mq94-257g)."""
    with Peer(server.port) as peer:
        for _ in range(900):
            stream = peer.begin("Stubborn")
            peer.send(frame(DATA, END_STREAM, stream, message(b"a")))
            peer.send(frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)))
        most = server.running
        status, _ = peer.call("Stubborn", b"a")

    assert 0 < most <= 256
    assert status == f"reset {REFUSED_STREAM}"
    assert wait_until(lambda: server.running == 0)
    memory_grows_at_most(64)


@pytest.mark.parametrize("fault", [
    lambda stream: frame(WINDOW_UPDATE, 0, stream, bytes(4)),
    lambda stream: frame(WINDOW_UPDATE, 0, stream, b"\x7f\xff\xff\xff") * 2,
    lambda stream: frame(PRIORITY, 0, stream, struct.pack(">I", stream) + b"\x10"),
])
def test_streams_that_the_server_is_made_to_reset(server, memory_grows_at_most, fault):
    """MadeYouReset, CVE-2025-8671."""
    most = 0
    with Peer(server.port) as peer:
        for start in range(0, BURST, 100):
            data = b""
            for number in range(start, start + 100):
                stream = 2 * number + 1
                data += frame(HEADERS, END_HEADERS, stream, call_fields("Stubborn"))
                data += frame(DATA, END_STREAM, stream, message(b"a")) + fault(stream)
            if not peer.send(data):
                break
            if start % 2_000 == 0:
                most = max(most, server.running)
        code = peer.end() if start < BURST - 100 else ENHANCE_YOUR_CALM

    assert most <= 256
    assert code in (None, ENHANCE_YOUR_CALM, PROTOCOL_ERROR)
    assert wait_until(lambda: server.running == 0)
    memory_grows_at_most(64)


def test_headers_that_go_on_for_ever(server, memory_grows_at_most):
    """CONTINUATION flood, CVE-2024-28182."""
    with Peer(server.port) as peer:
        peer.send(frame(HEADERS, 0, 1, call_fields()))
        for _ in range(BURST):
            if not peer.send(frame(CONTINUATION, 0, 1, field("x-a", "b" * 100))):
                break
        else:
            pytest.fail("the server took them all")
        peer.end()

    memory_grows_at_most(32)


def test_headers_that_never_end(server):
    with Peer(server.port) as peer:
        peer.send(frame(HEADERS, 0, 1, call_fields()))

        # The server asks for a sign of life, which nobody can give within a header block.
        peer.wait_until_closed()


@pytest.mark.parametrize("opening", [
    frame(HEADERS, 0, 1, call_fields()) + frame(CONTINUATION, END_HEADERS, 1, b"", length=16_000),
    frame(HEADERS, END_HEADERS, 1, call_fields(), length=16_000),
], ids=["CONTINUATION", "HEADERS"])
def test_headers_that_come_byte_by_byte(server, opening):
    """They are no sign of life: what the server asks for cannot be given before they are whole."""
    with Peer(server.port) as peer:
        peer.send(opening)
        for _ in range(300):
            # fields of `a` that go on and on
            if not peer.send(b"a"):
                break
            time.sleep(0.1)
        else:
            pytest.fail("the server waits for the rest")


@pytest.mark.parametrize("words", [b"", PREFACE[:10], PREFACE, PREFACE + frame(SETTINGS, 0, 0, b"", length=600)])
def test_a_handshake_that_is_never_made(server, words):
    with Peer(server.port, preface=False) as peer:
        peer.send(words)

        peer.wait_until_closed()


@pytest.mark.parametrize("flood", [
    frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65535)), frame(PING, 0, 0, bytes(8)),
], ids=["SETTINGS", "PING"])
def test_frames_that_must_be_acknowledged_to_a_peer_that_reads_nothing(server, memory_grows_at_most, flood):
    with Peer(server.port) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        port = peer.socket.getsockname()[1]
        assert wait_until(lambda: server.holds(port))
        peer.try_send(flood * 1_000_000, 3)
        memory_grows_at_most(64)

        # It is gone, and the peer has not read a word.
        assert wait_until(lambda: not server.holds(port))


def test_pings_without_end(server):
    with Peer(server.port) as peer:
        for _ in range(10):
            peer.send(frame(PING, 0, 0, bytes(8)))

        assert peer.end() == ENHANCE_YOUR_CALM
        assert peer.debug_data == b"too_many_pings"


def test_settings_without_end(server, memory_grows_at_most):
    """Of a peer that reads every acknowledgement: CVE-2019-9515."""
    with Peer(server.port) as peer:
        peer.send(frame(SETTINGS, 0, 0) * 5_000)
        with pytest.raises(Ended):
            peer.read_all_that_came()
        codes = [seen.error_code for seen in peer.seen if isinstance(seen, frames.GoAwayFrame)]

    # What the server had not read when it closed the connection may cost the peer its last words.
    assert codes in ([], [ENHANCE_YOUR_CALM])
    memory_grows_at_most(32)


@pytest.mark.parametrize("flood", [
    frame(PRIORITY, 0, 5, bytes(4) + b"\x10"), frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\x01"), frame(0x42, 0, 0, b""),
    frame(DATA, 0, 1), frame(DATA, PADDED, 1, b"\x00"), frame(DATA, PADDED, 1, b"\x0a" + bytes(10)),
], ids=["PRIORITY", "WINDOW_UPDATE", "unknown", "empty DATA", "padded empty DATA", "padding alone"])
def test_frames_that_say_nothing(server, memory_grows_at_most, flood):
    with Peer(server.port) as peer:
        peer.begin("Upload")
        # Padding counts against the windows, so there is an end to what may be sent of it.
        peer.try_send(flood * (5_000 if len(flood) > 10 else 200_000), 20)
        memory_grows_at_most(32)


def test_a_header_table_used_to_make_headers_of_megabytes(server, memory_grows_at_most):
    """A HPACK bomb: one field of four kilobytes enters the table, then thousands of single bytes mean it again."""
    value = b"v" * 3_900
    length = b"\x7f" + bytes([(len(value) - 127) & 0x7F | 0x80, (len(value) - 127) >> 7])
    entry = b"\x40\x05x-big" + length + value
    with Peer(server.port) as peer:
        block = call_fields() + entry + b"\xbe" * 8_000
        peer.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block))
        outcome = peer.outcome(1)
        peer.next_stream = 3

        assert outcome == ("status", 8)
        assert peer.call("Echo", b"on") == (0, b"on")
    memory_grows_at_most(16)


def test_a_reader_that_reads_nothing(server, memory_grows_at_most):
    with Peer(server.port, settings=struct.pack(">HI", 4, 1 << 30)) as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.send(frame(WINDOW_UPDATE, 0, 0, b"\x3f\xff\xff\xff"))
        for _ in range(200):
            stream = peer.begin("Download")
            peer.send(frame(DATA, END_STREAM, stream, message(struct.pack(">I", 10_000))))
        assert wait_until(lambda: server.running >= 200)
        time.sleep(1)

        # Each stream may have 64 KiB and a message waiting.
        memory_grows_at_most(64)
    assert wait_until(lambda: server.running == 0)


def test_windows_of_nothing(server, memory_grows_at_most):
    with Peer(server.port, settings=struct.pack(">HI", 4, 0)) as peer:
        for _ in range(250):
            stream = peer.begin("Download", more=[("grpc-timeout", "3S")])
            peer.send(frame(DATA, END_STREAM, stream, message(struct.pack(">I", 10_000))))
        assert wait_until(lambda: server.running >= 250)
        memory_grows_at_most(64)

        # The deadline ends what nobody takes.
        assert wait_until(lambda: server.running == 0)


def test_a_thousand_streams_that_do_nothing(server, memory_grows_at_most):
    with Peer(server.port) as peer:
        for _ in range(1_200):
            peer.begin("Upload")
        refused = set()
        while len(refused) < 1_200 - 256:
            seen = peer.read_frame()
            if isinstance(seen, frames.RstStreamFrame):
                assert seen.error_code == REFUSED_STREAM
                refused.add(seen.stream_id)

        assert server.running == 256
        memory_grows_at_most(32)
    assert wait_until(lambda: server.running == 0)


def test_a_thousand_connections_that_do_nothing(server, memory_grows_at_most):
    peers = [Peer(server.port) for _ in range(1_000)]
    assert peers[-1].call("Echo", b"on") == (0, b"on")
    memory_grows_at_most(200)
    for peer in peers:
        peer.socket.close()


def test_unfinished_messages_on_every_stream(server, memory_grows_at_most):
    with Peer(server.port) as peer:
        for _ in range(256):
            stream = peer.begin("Echo")
            # Four megabytes are announced, and one byte of them sent.
            peer.send(frame(DATA, 0, stream, struct.pack(">BI", 0, 4 << 20) + b"a"))
        assert server.method("Echo")(b"on", timeout=20) == b"on"
        memory_grows_at_most(32)


def test_unfinished_messages_that_add_up(server, memory_grows_at_most):
    """Of a connection sixteen megabytes are kept, and the calls that ask for more end."""
    with Peer(server.port) as peer:
        streams = [peer.begin("Echo") for _ in range(64)]
        data = struct.pack(">BI", 0, 2 << 20) + bytes(1 << 20)
        for stream in streams:
            all(peer.send_when_allowed(stream, data[at:at + 16384], 0) for at in range(0, len(data), 16384))
        peer.read_all_that_came()
        memory_grows_at_most(48)

        refused = {seen.stream_id for seen in peer.seen if dict(getattr(seen, "fields", ())).get("grpc-status") == "8"}
        assert len(refused) >= 40
        assert server.method("Echo")(b"on", timeout=20) == b"on"


def test_headers_on_every_stream_of_many_connections(server, memory_grows_at_most):
    """A few bytes name sixteen kilobytes that the header table holds."""
    peers = [Peer(server.port) for _ in range(20)]
    for peer in peers:
        # A field of 3,900 bytes that enters the table, and then is named three times more.
        entry = b"\x40\x01x\x7f\xbd\x1d" + b"a" * 3_900
        peer.send(frame(HEADERS, END_HEADERS, 1, call_fields() + entry + b"\xbe" * 3))
        peer.send(b"".join(frame(HEADERS, END_HEADERS, stream, call_fields() + b"\xbe" * 4) for stream in range(3, 511, 2)))
    assert server.method("Echo")(b"on", timeout=20) == b"on"
    time.sleep(1)
    memory_grows_at_most(70)
    for peer in peers:
        peer.socket.close()
