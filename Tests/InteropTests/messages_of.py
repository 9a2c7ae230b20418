"""The messages that the description repeats."""

from interop_proto import messages_pb2

REQUEST_SIZES = (27_182, 8, 1_828, 45_904)
RESPONSE_SIZES = (31_415, 9, 2_653, 58_979)


def carrying(size: int) -> messages_pb2.Payload:
    return messages_pb2.Payload(body=bytes(size))


def asking_for(*sizes: int, payload: int = 0) -> messages_pb2.StreamingOutputCallRequest:
    parameters = [messages_pb2.ResponseParameters(size=size) for size in sizes]
    return messages_pb2.StreamingOutputCallRequest(response_parameters=parameters, payload=carrying(payload))


LARGE = messages_pb2.SimpleRequest(response_size=314_159, payload=carrying(271_828))
