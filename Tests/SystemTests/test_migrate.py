"""`heartguard migrate` beside a cluster that is in use."""

import os
import subprocess

import pytest


@pytest.fixture
def migrate(cluster):
    def run(action: str) -> str:
        program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")
        command = [program, "migrate", action, "--state-dir", str(cluster.state)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_the_schema_is_what_the_revisions_left(migrate):
    """Whatever the services, the clock and pg_cron have made in it."""
    lines = migrate("status").splitlines()
    assert lines and all("  applied " in line and not line.endswith(("text", "program")) for line in lines)
    assert migrate("verify") == "What was applied is what the chain says, and the schema is what it left.\n"
