"""Programs that a benchmark starts, pinned to a core, and what they use of the machine."""
import contextlib, os, resource, signal, socket, subprocess, time

TICK = os.sysconf("SC_CLK_TCK")


def pin(core):
    """What a child does before it becomes its program: keeps to one core, and may open as many files as allowed."""
    def prepare():
        os.sched_setaffinity(0, {core})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return prepare


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server under measurement. It is started with its port, and stopped by its process id."""

    def __init__(self, name, command, core, log):
        self.name, self.port = name, free_port()
        with open(log, "wb") as output:
            # A session of its own keeps a Ctrl-C at the terminal from it; `stop` ends it.
            self.process = subprocess.Popen(
                [part.replace("PORT", str(self.port)) for part in command], preexec_fn=pin(core), stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True)
        self.log = log

    def wait(self, seconds=30):
        """Returns when the port answers."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}; see {self.log}")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen on its port; see {self.log}")

    def cpu_seconds(self):
        """User and system time of all its threads. The kernel keeps the sum in nanoseconds and shows it in ticks of 10 ms."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))

    def pin(self, core):
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            os.sched_setaffinity(int(thread), {core})

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
