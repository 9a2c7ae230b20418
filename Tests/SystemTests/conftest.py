"""Tests that kill the programs of a running cluster. They speak to it as the contract tests do."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "ContractTests"))

from client import contracts  # noqa: E402

contracts.generate()

from client.fixtures import *  # noqa: E402, F403 (pytest finds fixtures here; they import what was just generated)
