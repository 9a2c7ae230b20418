"""Tests of a running cluster from outside, through the contracts alone."""

import pathlib

from client import contracts

contracts.generate()

from client.fixtures import *  # noqa: E402, F403 (pytest finds fixtures here; they import what was just generated)
from client.keys import Twice  # noqa: E402

HERE = pathlib.Path(__file__).parent

# What counts calls, or is about no writes of a person's: not with --twice.
COUNTING = ("test_access_log.py", "test_limits.py", "test_telemetry.py", "test_monitoring.py", "test_metrics.py", "test_channelz.py", "test_idempotency.py")


def pytest_addoption(parser):
    parser.addoption("--twice", action="store_true", help="make each call that changes something twice, with one idempotency-key")


def pytest_configure(config):
    config.twice = Twice() if config.getoption("--twice") else None
    if config.twice:
        config.twice.install()


def pytest_ignore_collect(collection_path, config):
    return True if config.getoption("--twice") and collection_path.name in COUNTING else None


def pytest_sessionfinish(session, exitstatus):
    """Where all tests ran, every method that keeps answers has to have been called twice by some of them."""
    twice = session.config.twice
    if not twice:
        return
    twice.is_complete = {item.path.name for item in session.items} >= {file.name for file in HERE.glob("test_*.py")} - set(COUNTING)
    if twice.is_complete and exitstatus == 0 and twice.missing:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter, config):
    if config.twice:
        terminalreporter.write_line(f"{len(config.twice.repeated)} methods were called twice with one key")
        for name in config.twice.missing if config.twice.is_complete else ():
            terminalreporter.write_line(f"never called twice: {name}", red=True)
