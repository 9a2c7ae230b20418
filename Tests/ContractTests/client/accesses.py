"""What is on record of a person's records, as the person reads it."""

import secrets

from heartguard.users.v1 import access_log_service_pb2 as access_log

READ, WRITE, SECURITY = (
    access_log.ACCESS_ACTION_READ,
    access_log.ACCESS_ACTION_WRITE,
    access_log.ACCESS_ACTION_SECURITY,
)
BEGUN, SUCCEEDED, DENIED, FAILED = (
    access_log.ACCESS_OUTCOME_BEGUN,
    access_log.ACCESS_OUTCOME_SUCCEEDED,
    access_log.ACCESS_OUTCOME_DENIED,
    access_log.ACCESS_OUTCOME_FAILED,
)


class Trace:
    """A trace of one's own, by which the events of its calls are found."""

    def __init__(self):
        self.id = secrets.token_hex(16)

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return [("traceparent", f"00-{self.id}-{secrets.token_hex(8)}-01")]


def listed(door, person, **fields) -> list:
    """Every event that the person is shown, the newest first."""
    events, token = [], ""
    while True:
        request = access_log.ListAccessEventsRequest(page_size=100, page_token=token, **fields)
        page = person.calls(door.access_log.ListAccessEvents, request)
        events += page.events
        token = page.next_page_token
        if not token:
            return events


def newest(door, person, trace: Trace) -> list:
    """The events of one trace that are among the newest hundred."""
    request = access_log.ListAccessEventsRequest(page_size=100)
    return [event for event in person.calls(door.access_log.ListAccessEvents, request).events if event.trace_id == trace.id]
