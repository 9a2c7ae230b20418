"""Opens HTTP/2 connections that then do nothing."""
import resource, socket, struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, ACKNOWLEDGED, END_HEADERS = 1, 1, 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def text(value):
    return bytes([len(value)]) + value


def call(message):
    """One UnaryCall on stream 1. Its fields go into the HPACK table, as those of every client do (RFC 7541, section 6.2.1):
    0x83 and 0x86 are POST and http, 0x44, 0x41 and 0x5f the names :path, :authority and content-type."""
    fields = (b"\x83\x86\x44" + text(b"/grpc.testing.BenchmarkService/UnaryCall") + b"\x41" + text(b"127.0.0.1")
              + b"\x5f" + text(b"application/grpc") + b"\x40" + text(b"te") + text(b"trailers"))
    body = b"\0" + len(message).to_bytes(4, "big") + message
    return frame(HEADERS, END_HEADERS, 1, fields) + frame(DATA, END_STREAM, 1, body)


class IdleConnections:
    """Connections that have exchanged settings with the server, and made one call each if there is a message for it. They
    stay open until they are closed. (One address has some 28,000 ports to connect to a server from.)"""

    # As many are opened before any is waited for; it is less than a server's queue of connections to accept.
    AT_ONCE = 500

    def __init__(self, port, count, message=None):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.sockets = []
        try:
            for first in range(0, count, self.AT_ONCE):
                self._open(port, min(self.AT_ONCE, count - first), message)
        except BaseException:
            self.close()
            raise

    def _open(self, port, count, message):
        opening = PREFACE + frame(SETTINGS, 0, 0) + frame(SETTINGS, ACKNOWLEDGED, 0)
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), 60)
            # A reset at the end leaves no port waiting.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sockets.append(connection)
            connection.sendall(opening + (call(message) if message is not None else b""))
        # The server acknowledges our settings after it has sent its own, and ends an answer with trailers.
        last = (SETTINGS, ACKNOWLEDGED) if message is None else (HEADERS, END_STREAM)
        for connection in self.sockets[-count:]:
            self._read_until(connection, *last)

    @staticmethod
    def _read_until(connection, kind, flag):
        received = b""
        while True:
            more = connection.recv(4096)
            if not more:
                raise ConnectionError("the server closed a connection that broke no rule")
            received += more
            while len(received) >= 9 and len(received) >= 9 + int.from_bytes(received[:3], "big"):
                if received[3] == kind and received[4] & flag:
                    return
                received = received[9 + int.from_bytes(received[:3], "big"):]

    def close(self):
        for connection in self.sockets:
            connection.close()
        self.sockets = []
