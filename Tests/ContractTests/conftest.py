"""Tests of a running cluster from outside, through the contracts alone."""

from client import contracts

contracts.generate()

from client.fixtures import *  # noqa: E402, F403 (pytest finds fixtures here; they import what was just generated)
