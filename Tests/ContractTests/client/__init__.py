"""A client of a running cluster that shares no code with it: PyPI's gRPC and protobuf, and the contracts in proto/."""
