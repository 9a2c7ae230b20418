"""gRPC's interoperability tests between our client and server and those of PyPI's grpcio."""

import contracts

contracts.generate()

from fixtures import *  # noqa: E402, F403 (pytest finds fixtures here; they import what was just generated)
