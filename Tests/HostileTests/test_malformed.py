"""Frames that break a rule of RFC 9113 or RFC 7541, one of each: the error that the RFC asks for, and nothing worse."""

import struct

import pytest
from peer import *

STREAM = 1
CONNECTION_ERRORS = {
    # section 4.2, 4.3
    "frame above the largest size": (frame(DATA, 0, 1, b"", length=16385), FRAME_SIZE_ERROR),
    "header block with an index that is not there": (frame(HEADERS, 5, 1, b"\xff\x80\x01"), COMPRESSION_ERROR),
    "header block with index 0": (frame(HEADERS, 5, 1, b"\x80"), COMPRESSION_ERROR),
    "header block cut short": (frame(HEADERS, 5, 1, b"\x00\x05ab"), COMPRESSION_ERROR),
    "integer without end": (frame(HEADERS, 5, 1, b"\xff" + b"\xff" * 20), COMPRESSION_ERROR),
    "Huffman code with bad padding": (frame(HEADERS, 5, 1, b"\x00\x81\x00\x01a"), COMPRESSION_ERROR),
    "table larger than allowed": (frame(HEADERS, 5, 1, b"\x3f\xe1\xff\xff\x03"), COMPRESSION_ERROR),
    "table size after a field": (frame(HEADERS, 5, 1, b"\x82\x20"), COMPRESSION_ERROR),
    # section 5.1
    "DATA on an idle stream": (frame(DATA, 0, 1, b"a"), PROTOCOL_ERROR),
    "RST_STREAM on an idle stream": (frame(RST_STREAM, 0, 1, b"\0\0\0\x08"), PROTOCOL_ERROR),
    "WINDOW_UPDATE on an idle stream": (frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\x08"), PROTOCOL_ERROR),
    "stream with an even number": (frame(HEADERS, 5, 2, call_fields()), PROTOCOL_ERROR),
    # section 6.1
    "DATA on stream 0": (frame(DATA, 0, 0, b"a"), PROTOCOL_ERROR),
    # section 6.2
    "HEADERS on stream 0": (frame(HEADERS, 5, 0, call_fields()), PROTOCOL_ERROR),
    "HEADERS padded beyond their end": (frame(HEADERS, 5 | PADDED, 1, b"\xff" + call_fields()[:20]), PROTOCOL_ERROR),
    "HEADERS too short for their priority": (frame(HEADERS, 5 | WITH_PRIORITY, 1, b"\0\0"), FRAME_SIZE_ERROR),
    "HEADERS before a block has ended": (frame(HEADERS, 1, 1, call_fields()) + frame(HEADERS, 5, 3, call_fields()), PROTOCOL_ERROR),
    "PING within a header block": (frame(HEADERS, 1, 1, call_fields()) + frame(PING, 0, 0, bytes(8)), PROTOCOL_ERROR),
    "CONTINUATION of another stream": (frame(HEADERS, 1, 1, call_fields()) + frame(CONTINUATION, 4, 3), PROTOCOL_ERROR),
    # section 6.3, which lets it be an error of the stream alone
    "PRIORITY of four bytes": (frame(PRIORITY, 0, 1, bytes(4)), FRAME_SIZE_ERROR),
    # section 6.4
    "RST_STREAM on stream 0": (frame(RST_STREAM, 0, 0, b"\0\0\0\x08"), PROTOCOL_ERROR),
    "RST_STREAM of three bytes": (frame(HEADERS, 4, 1, call_fields()) + frame(RST_STREAM, 0, 1, b"\0\0\0"), FRAME_SIZE_ERROR),
    # section 6.5
    "SETTINGS on a stream": (frame(SETTINGS, 0, 1), PROTOCOL_ERROR),
    "SETTINGS of five bytes": (frame(SETTINGS, 0, 0, bytes(5)), FRAME_SIZE_ERROR),
    "SETTINGS acknowledged with content": (frame(SETTINGS, ACK, 0, bytes(6)), FRAME_SIZE_ERROR),
    "ENABLE_PUSH of 2": (frame(SETTINGS, 0, 0, struct.pack(">HI", 2, 2)), PROTOCOL_ERROR),
    "INITIAL_WINDOW_SIZE above its limit": (frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 1 << 31)), FLOW_CONTROL_ERROR),
    "MAX_FRAME_SIZE below its limit": (frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 100)), PROTOCOL_ERROR),
    "MAX_FRAME_SIZE above its limit": (frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 1 << 24)), PROTOCOL_ERROR),
    # section 6.6
    "PUSH_PROMISE from a client": (frame(PUSH_PROMISE, 4, 1, b"\0\0\0\x02" + call_fields()), PROTOCOL_ERROR),
    # section 6.7
    "PING on a stream": (frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "PING of seven bytes": (frame(PING, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    # section 6.8
    "GOAWAY on a stream": (frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "GOAWAY of seven bytes": (frame(GOAWAY, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    # section 6.9
    "WINDOW_UPDATE of 0 on the connection": (frame(WINDOW_UPDATE, 0, 0, bytes(4)), PROTOCOL_ERROR),
    "WINDOW_UPDATE of three bytes": (frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    "connection window above its limit": (frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff") * 2, FLOW_CONTROL_ERROR),
    # section 6.10
    "CONTINUATION of nothing": (frame(CONTINUATION, 4, 1, call_fields()), PROTOCOL_ERROR),
}

STREAM_ERRORS = {
    # section 6.9
    "stream window above its limit": (frame(WINDOW_UPDATE, 0, 1, b"\x7f\xff\xff\xff") * 2, FLOW_CONTROL_ERROR),
}

BAD_FIELDS = {
    # section 8.2, 8.3
    "name in upper case": call_fields() + field("X-Upper", "1"),
    "connection's own field": call_fields() + field("connection", "close"),
    "field of HTTP/1": call_fields() + field("transfer-encoding", "chunked"),
    "te other than trailers": call_fields(without=("te",)) + field("te", "gzip"),
    "no path": call_fields(without=(":path",)),
    "no method": call_fields(without=(":method",)),
    "no scheme": call_fields(without=(":scheme",)),
    "empty path": call_fields(without=(":path",)) + field(":path", ""),
    "path twice": field(":path", "/a") + call_fields(),
    "unknown pseudo-field": field(":unknown", "a") + call_fields(),
    "pseudo-field of responses": field(":status", "200") + call_fields(),
    "pseudo-field after another": call_fields(without=(":path",)) + field(":path", "/hostile.Service/Echo"),
    "line feed in a value": call_fields() + field("x-a", b"a\nb"),
    "NUL in a value": call_fields() + field("x-a", b"a\0b"),
    "space in a name": call_fields() + field("x a", "b"),
}

IGNORED = {
    # sections 4.1, 5.5, 6.5.2
    "unknown frame": frame(0x42, 0xFF, 0, b"anything"),
    "unknown frame on a stream": frame(0x42, 0xFF, 1, b"anything"),
    "unknown flags": frame(PING, 0xFE, 0, bytes(8)),
    "unknown setting": frame(SETTINGS, 0, 0, struct.pack(">HI", 0x4242, 7)),
    "reserved bit": frame(WINDOW_UPDATE, 0, 1 << 31, b"\x80\0\0\x01"),
    # The server announces that it heeds no priorities (RFC 9218, section 2.1), and nghttp2 then does not look at them.
    "PRIORITY on stream 0": frame(PRIORITY, 0, 0, bytes(5)),
    "PRIORITY of an idle stream": frame(PRIORITY, 0, 101, bytes(4) + b"\x10"),
    "acknowledged ping that was not sent": frame(PING, ACK, 0, bytes(8)),
}


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_a_frame_that_breaks_the_connection(server, name):
    data, code = CONNECTION_ERRORS[name]
    with Peer(server.port) as peer:
        peer.send(data)

        assert peer.outcome(1) == ("goaway", code)


@pytest.mark.parametrize("name", STREAM_ERRORS)
def test_a_frame_that_breaks_its_stream_alone(server, name):
    data, code = STREAM_ERRORS[name]
    with Peer(server.port) as peer:
        stream = peer.begin("Upload")
        peer.send(data)

        assert peer.outcome(stream) == ("reset", code)
        assert peer.call("Echo", b"on") == (0, b"on")


@pytest.mark.parametrize("name", BAD_FIELDS)
def test_a_request_whose_fields_break_a_rule(server, name):
    with Peer(server.port) as peer:
        peer.next_stream = 3
        peer.send(frame(HEADERS, END_HEADERS, 1, BAD_FIELDS[name]) + frame(DATA, END_STREAM, 1, message(b"a")))

        kind, code = peer.outcome(1)
        assert (kind, code) == ("reset", PROTOCOL_ERROR)
        assert peer.call("Echo", b"on") == (0, b"on")


@pytest.mark.parametrize("name", IGNORED)
def test_what_a_peer_may_send_and_nobody_needs(server, name):
    with Peer(server.port) as peer:
        peer.send(IGNORED[name])

        assert peer.call("Echo", b"on") == (0, b"on")


def test_a_body_that_goes_on_after_its_end(server):
    with Peer(server.port) as peer:
        stream = peer.begin("Wait")
        peer.send(frame(DATA, END_STREAM, stream, message(b"a")) + frame(DATA, 0, stream, b"more"))

        kind, code = peer.outcome(stream)
        assert kind in ("goaway", "reset") and code == STREAM_CLOSED


def test_a_window_update_of_nothing_on_a_stream(server):
    """Section 6.9 asks for a stream error, section 5.4 lets an endpoint make a connection error of it: nghttp2 does."""
    with Peer(server.port) as peer:
        stream = peer.begin("Upload")
        peer.send(frame(WINDOW_UPDATE, 0, stream, bytes(4)))

        assert peer.outcome(stream) == ("goaway", PROTOCOL_ERROR)


def test_a_stream_with_a_number_that_has_passed(server):
    """nghttp2 reads such a block for its table and drops it: the number may be that of a stream it has reset."""
    with Peer(server.port) as peer:
        peer.next_stream = 5
        peer.begin("Upload")
        peer.send(frame(HEADERS, 5, 3, call_fields()))

        assert peer.call("Echo", b"on") == (0, b"on")
        assert not [seen for seen in peer.seen if seen.stream_id == 3]


def test_a_body_longer_than_its_stream_may_hold(server):
    with Peer(server.port) as peer:
        stream = peer.begin("Wait")
        # The connection may hold more than the stream's quarter of a megabyte.
        peer.send(b"".join(frame(DATA, 0, stream, message(bytes(4 << 20))[:16384]) for _ in range(300)))

        kind, code = peer.outcome(stream)
        assert code == FLOW_CONTROL_ERROR or (kind, code) == ("status", 13)


@pytest.mark.parametrize("words", [b"GET / HTTP/1.1\r\nhost: a\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"])
def test_a_peer_that_speaks_something_else(server, words):
    with Peer(server.port, preface=False) as peer:
        peer.send(words + bytes(100))

        assert peer.end() in (None, PROTOCOL_ERROR)


def test_a_preface_without_settings(server):
    with Peer(server.port, preface=False) as peer:
        peer.send(PREFACE + frame(PING, 0, 0, bytes(8)))

        assert peer.end() in (None, PROTOCOL_ERROR)
