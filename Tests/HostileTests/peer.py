"""A client that speaks HTTP/2 frame by frame, right or wrong, with nothing in between that would stop it."""

import socket
import struct
import time

import hpack
from hyperframe import frame as frames

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, WITH_PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0x0, 0x1, 0x2, 0x3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 0x5, 0x6, 0x7, 0x8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 0x9, 0xB


def frame(kind, flags, stream, payload=b"", length=None):
    """Nine bytes and a payload; a length other than the payload's is a lie."""
    length = len(payload) if length is None else length
    return struct.pack(">I", length)[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def message(payload=b""):
    """A gRPC message in its frame."""
    return struct.pack(">BI", 0, len(payload)) + payload


def field(name, value):
    """A header field as a literal that enters no table (RFC 7541, section 6.2.2)."""

    def literal(text):
        text = text if isinstance(text, bytes) else text.encode()
        assert len(text) < 127
        return bytes([len(text)]) + text

    return b"\x00" + literal(name) + literal(value)


def call_fields(method="Echo", more=(), without=()):
    fields = [
        (":method", "POST"), (":scheme", "http"), (":path", f"/hostile.Service/{method}"), (":authority", "test"),
        ("content-type", "application/grpc"), ("te", "trailers"),
    ]
    return b"".join(field(*f) for f in [*fields, *more] if f[0] not in without)


class Ended(Exception):
    """The server has closed the connection."""


class Peer:
    def __init__(self, port, preface=True, settings=b""):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.settimeout(20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.decoder = hpack.Decoder()
        self.next_stream = 1
        self.seen = []
        self.window = self.initial_window = 65535
        self.stream_windows = {}
        if preface:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Whether it could be sent: a server that has had enough may be gone already."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def try_send(self, data, seconds):
        """Sends for so long; the number of bytes that the server's side took."""
        self.socket.settimeout(seconds)
        sent = 0
        try:
            while sent < len(data):
                sent += self.socket.send(data[sent:sent + 65536])
        except (TimeoutError, BrokenPipeError, ConnectionResetError):
            pass
        self.socket.settimeout(20)
        return sent

    def begin(self, method="Echo", end=False, more=()):
        stream = self.next_stream
        self.next_stream += 2
        self.send(frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, call_fields(method, more)))
        return stream

    def call(self, method="Echo", payload=b"", more=()):
        """The status and the bytes of the answer to one call, which may have room for them as they come."""
        stream = self.begin(method, more=more)
        body = message(payload)
        for start in range(0, len(body), 16384):
            end = END_STREAM if start + 16384 >= len(body) else 0
            if not self.send_when_allowed(stream, body[start:start + 16384], end):
                break
        return self.answer(stream)

    def send_when_allowed(self, stream, data, flags):
        """Waits for room on the stream and the connection; False when the call has ended meanwhile."""
        while True:
            room = min(self.window, self.initial_window + self.stream_windows.get(stream, 0))
            if room >= len(data):
                self.window -= len(data)
                self.stream_windows[stream] = self.stream_windows.get(stream, 0) - len(data)
                self.send(frame(DATA, flags, stream, data))
                return True
            seen = self.read_frame()
            self.seen.append(seen)
            if seen.stream_id == stream and ("END_STREAM" in seen.flags or isinstance(seen, frames.RstStreamFrame)):
                return False

    def answer(self, stream):
        status, body = None, b""
        pending = [f for f in self.seen if f.stream_id == stream]
        self.seen = [f for f in self.seen if f.stream_id != stream]
        while True:
            seen = pending.pop(0) if pending else self.read_frame()
            if seen.stream_id != stream:
                continue
            if isinstance(seen, frames.HeadersFrame):
                fields = dict(seen.fields)
                status = fields.get("grpc-status", status)
            if isinstance(seen, frames.DataFrame):
                body += seen.data
                if seen.data:
                    size = struct.pack(">I", len(seen.data))
                    self.send(frame(WINDOW_UPDATE, 0, 0, size) + frame(WINDOW_UPDATE, 0, stream, size))
            if isinstance(seen, frames.RstStreamFrame):
                return f"reset {seen.error_code}" if status is None else int(status), body
            if "END_STREAM" in seen.flags:
                return int(status) if status is not None else "no status", body[5:]

    def read_frame(self):
        """The next frame, its header fields decoded and windows counted; answers SETTINGS and PING. Raises Ended."""
        while True:
            header = self.take(9)
            seen, length = frames.Frame.parse_frame_header(memoryview(header))
            seen.parse_body(memoryview(self.take(length)))
            if isinstance(seen, frames.HeadersFrame):
                seen.fields = [
                    tuple(part.decode() if isinstance(part, bytes) else part for part in pair)
                    for pair in self.decoder.decode(seen.data)
                ]
            if isinstance(seen, frames.WindowUpdateFrame):
                if seen.stream_id == 0:
                    self.window += seen.window_increment
                else:
                    increment = seen.window_increment
                    self.stream_windows[seen.stream_id] = self.stream_windows.get(seen.stream_id, 0) + increment
            if isinstance(seen, frames.SettingsFrame) and "ACK" not in seen.flags:
                self.initial_window = seen.settings.get(4, self.initial_window)
                self.send(frame(SETTINGS, ACK, 0))
            if isinstance(seen, frames.PingFrame) and "ACK" not in seen.flags:
                self.send(frame(PING, ACK, 0, seen.opaque_data))
            return seen

    def read_all_that_came(self):
        """Reads what the server has written until now."""
        self.send(frame(PING, 0, 0, bytes(8)))
        while not (isinstance(seen := self.read_frame(), frames.PingFrame) and "ACK" in seen.flags):
            self.seen.append(seen)

    def take(self, count):
        while len(self.buffer) < count:
            try:
                more = self.socket.recv(1 << 18)
            except ConnectionResetError:
                more = b""
            if not more:
                raise Ended
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def wait_until_closed(self):
        """Reads what comes and answers nothing of it."""
        try:
            while self.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass

    def end(self):
        """Reads until the server closes the connection: the code of its GOAWAY, or None when there was none."""
        code = None
        try:
            while True:
                seen = self.read_frame()
                if isinstance(seen, frames.GoAwayFrame):
                    code = seen.error_code
                    self.debug_data = seen.additional_data
        except Ended:
            return code

    def outcome(self, stream):
        """How the server refused: ("goaway", code), ("reset", code), ("status", n), or ("closed", None)."""
        goaway = None
        try:
            while True:
                seen = self.read_frame()
                if isinstance(seen, frames.GoAwayFrame):
                    goaway = seen.error_code
                elif goaway is None and seen.stream_id == stream and isinstance(seen, frames.RstStreamFrame):
                    return "reset", seen.error_code
                elif goaway is None and seen.stream_id == stream and "END_STREAM" in seen.flags:
                    fields = dict(getattr(seen, "fields", ()))
                    return "status", int(fields.get("grpc-status", fields.get(":status", -1)))
        except Ended:
            return ("goaway", goaway) if goaway is not None else ("closed", None)


def wait_until(condition, seconds=20):
    """Whether the condition came to hold."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
