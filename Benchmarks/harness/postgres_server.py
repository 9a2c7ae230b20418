"""A PostgreSQL server of a benchmark's own, in a temporary folder, with the tables that are read."""
import os, pathlib, pwd, shutil, subprocess, tempfile, time

from harness.process import free_port

PROGRAMS = pathlib.Path(os.environ.get("HEARTGUARD_POSTGRES_BIN", "/usr/lib/postgresql/15/bin"))
# The owner is a superuser, whom the server spares checks that have nothing to do with policies. Who is measured beside the reader is
# therefore a role with the same rights, to whom no policy applies.
OWNER, READER, UNGUARDED = "bench_owner", "bench_reader", "bench_unguarded"
USERS = 10_000
METRICS = ["heart_rate", "spo2", "respiratory_rate", "body_temperature", "systolic", "diastolic"]

# Vital n belongs to user n mod 10,000 and is a second younger than vital n - 1. Ids are numbers because pgbench's variables are.
VITALS = """
CREATE TABLE vitals (
    id bigint PRIMARY KEY, user_id bigint NOT NULL, metric text NOT NULL, value double precision NOT NULL,
    taken_at timestamptz NOT NULL
);
INSERT INTO vitals
SELECT n, n % {users}, (ARRAY[{metrics}])[n / {users} % {count} + 1], n * 7919 % 1000 / 10.0,
    '2026-01-01 00:00:00Z'::timestamptz + n * interval '1 second'
FROM generate_series(1, {rows}::bigint) AS n;
CREATE INDEX vitals_newest ON vitals (user_id, metric, taken_at DESC, id DESC);
ALTER TABLE vitals ENABLE ROW LEVEL SECURITY;
ALTER TABLE vitals FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON vitals USING (user_id = (SELECT nullif(current_setting('heartguard.user_id', true), '')::bigint));
GRANT SELECT ON vitals TO {reader}, {unguarded};
"""


class PostgresServer:
    """Stopped by `stop`, which removes its folder as well. As root it runs as Debian's postgres user, since PostgreSQL refuses root."""

    def __init__(self, programs=PROGRAMS):
        self.programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="heartguard-bench-"))
        self.port = free_port()
        self.account = "postgres" if os.geteuid() == 0 else None
        if self.account:
            os.chown(self.folder, pwd.getpwnam(self.account).pw_uid, -1)
        self._run("initdb", "--pgdata", self.folder / "data", f"--username={OWNER}", "--auth=trust", "--encoding=UTF8",
                  "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        # A quarter of the machine's memory, as the manual advises (20.4); ten million vitals and their indexes are 1.7 GB. No checkpoint
        # and no vacuum falls into somebody's turn.
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.folder,
                    "shared_buffers": f"{min(4096, memory_in_megabytes() // 4)}MB", "max_wal_size": "16GB", "checkpoint_timeout": "1h",
                    "autovacuum": "off", "max_connections": 100}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "--pgdata", self.folder / "data", "--log", self.folder / "log", "--wait", "--timeout=60",
                  f"--options={options}", "start")
        self.postmaster = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        self.helpers = len(self._children())

    def _run(self, program, *arguments):
        command = [str(self.programs / program), *map(str, arguments)]
        if self.account:
            command = ["runuser", "-u", self.account, "--"] + command
        # The server would keep a pipe open, so what is said goes to a file.
        with open(self.folder.parent / f"{self.folder.name}.log", "ab") as output:
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/")

    def stop(self):
        self._run("pg_ctl", "--pgdata", self.folder / "data", "--mode=immediate", "--wait", "--timeout=60", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder.parent / f"{self.folder.name}.log").unlink(missing_ok=True)

    def psql(self, database, *commands):
        arguments = [part for command in commands for part in ("-c", command)]
        return subprocess.run(self.client("psql", OWNER, database, "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments),
                              check=True, capture_output=True, text=True).stdout

    def client(self, program, role, database, *arguments):
        """The command line of one of PostgreSQL's own clients."""
        return [str(self.programs / program), "-h", "127.0.0.1", "-p", str(self.port), "-U", role, *arguments, database]

    def make_roles(self):
        self.psql("postgres", f"CREATE ROLE {READER} LOGIN", f"CREATE ROLE {UNGUARDED} LOGIN BYPASSRLS")

    def make_database(self, name, rows, accounts=None):
        """Vitals and, where asked for, what `pgbench -S` reads; made by the server, so no client counts."""
        self.psql("postgres", f"CREATE DATABASE {name}")
        metrics = ", ".join(f"'{metric}'" for metric in METRICS)
        sql = VITALS.format(users=USERS, metrics=metrics, count=len(METRICS), rows=rows, reader=READER, unguarded=UNGUARDED)
        # As in postgres.conf's comment: an index over ten million rows is sorted in memory, which the default is too small for.
        self.psql(name, "SET maintenance_work_mem = '1GB'; " + sql, "VACUUM ANALYZE vitals")
        if accounts:
            subprocess.run(self.client("pgbench", OWNER, name, "-i", "-I", "dtGvp", "-s", str(accounts // 100_000), "--quiet"),
                           check=True, capture_output=True)
            self.psql(name, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}", "VACUUM ANALYZE pgbench_accounts")
        # What a bulk write has passed through is not in the server's memory, and the first to read it would pay.
        self.psql(name, "CREATE EXTENSION pg_prewarm",
                  "SELECT sum(pg_prewarm(oid)) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')")
        self.psql(name, "CHECKPOINT")

    def spent(self):
        """The CPU that all sessions so far took, in seconds. They are the server's children, which waits for each; some moments after
        their client has gone."""
        deadline = time.monotonic() + 5
        while len(self._children()) > self.helpers and time.monotonic() < deadline:
            time.sleep(0.01)
        fields = pathlib.Path(f"/proc/{self.postmaster}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")

    def _children(self):
        return pathlib.Path(f"/proc/{self.postmaster}/task/{self.postmaster}/children").read_text().split()


def memory_in_megabytes():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
