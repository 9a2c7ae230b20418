"""Calls that go on while something is killed: writers that remember what was acknowledged, and readers."""

import threading

import grpc

# How long one call may take. Longer than the five seconds that a look-up is given, so the status is the server's.
PATIENCE = 10.0

# A call that was under way when something died may end like this, and is then made again.
PASSING = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    # the answer of Postgres to a COMMIT was lost, and the service says so
    grpc.StatusCode.UNKNOWN,
}


class Loop(threading.Thread):
    """Makes one call after the other until it is stopped."""

    def __init__(self, name: str, pace: float = 0.1):
        super().__init__(name=name, daemon=True)
        # keeps it within its budget of calls for the length of a test
        self._pace = pace
        self._stopped = threading.Event()
        # sentences about what should not have happened
        self.faults: list[str] = []

    def run(self) -> None:
        while not self._stopped.wait(self._pace):
            try:
                self.step()
            except grpc.RpcError as error:
                self.faults.append(f"{self.name}: {error.code().name}: {error.details()}")
            except Exception as error:  # a thread has nobody else to tell
                self.faults.append(f"{self.name}: {error!r}")

    def step(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        self._stopped.set()
        self.join(timeout=4 * PATIENCE)
        assert not self.is_alive(), f"{self.name} hangs"


class Writer(Loop):
    """Writes the numbers from 1 on, each again until it is acknowledged."""

    def __init__(self, name: str, write):
        super().__init__(name)
        self._write = write
        self.acknowledged = 0

    def step(self) -> None:
        number = self.acknowledged + 1
        try:
            self._write(number)
        except grpc.RpcError as error:
            if error.code() not in PASSING:
                raise
            return
        self.acknowledged = number


class Reader(Loop):
    """Asks the same thing again and again. `needs` names what the answer depends on."""

    def __init__(self, name: str, read, needs: set[str], pace: float = 0.1):
        super().__init__(name, pace)
        self._read = read
        self.needs = needs
        self.answers = 0
        self.refusals: list[grpc.RpcError] = []

    def step(self) -> None:
        try:
            self._read()
        except grpc.RpcError as error:
            self.refusals.append(error)
        else:
            self.answers += 1
