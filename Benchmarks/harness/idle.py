"""Opens HTTP/2 connections that then do nothing."""
import resource, socket

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
ACKNOWLEDGED = bytes([0, 0, 0, 4, 1, 0, 0, 0, 0])


class IdleConnections:
    """Connections that have exchanged settings with the server and stay open until they are closed."""

    # One source address has some 28,000 ports to connect from.
    PER_ADDRESS = 20_000

    def __init__(self, port, count):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.sockets = []
        try:
            for number in range(count):
                source = f"127.0.0.{2 + number // self.PER_ADDRESS}"
                connection = socket.create_connection(("127.0.0.1", port), 10, (source, 0))
                self.sockets.append(connection)
                connection.sendall(PREFACE + SETTINGS + ACKNOWLEDGED)
                self._expect_settings(connection)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _expect_settings(connection):
        """Reads until the server has acknowledged our settings, which it does after it has sent its own."""
        received = b""
        while True:
            more = connection.recv(4096)
            if not more:
                raise ConnectionError("the server closed a connection that broke no rule")
            received += more
            place = 0
            while len(received) - place >= 9:
                length = int.from_bytes(received[place:place + 3], "big")
                if received[place + 3] == 4 and received[place + 4] & 1:
                    return
                place += 9 + length

    def close(self):
        for connection in self.sockets:
            connection.close()
        self.sockets = []
