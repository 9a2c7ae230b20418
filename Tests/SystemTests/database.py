"""The cluster's database, past its programs: as the superuser."""

import contextlib
import os
import subprocess

PSQL = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]


def superuser(cluster) -> dict[str, str]:
    store, role = cluster.read()["stores"]["postgres"], cluster.credentials["postgres"]["superuser"]
    return os.environ | {
        "PGHOST": store["host"], "PGPORT": str(store["port"]), "PGDATABASE": store["database"],
        "PGUSER": role["user"], "PGPASSWORD": role["password"],
    }


def psql(cluster, sql: str) -> str:
    done = subprocess.run([*PSQL, "--command", sql], env=superuser(cluster), check=True, capture_output=True, text=True)
    return done.stdout.strip()


@contextlib.contextmanager
def held(cluster, table: str, row: str):
    """Nobody changes this row, or takes it away, until the end of the block."""
    holder = subprocess.Popen(PSQL, env=superuser(cluster), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        holder.stdin.write(f"BEGIN; SELECT 'held' FROM {table} WHERE {row} FOR UPDATE;\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "held\n"
        yield
    finally:
        holder.communicate()
