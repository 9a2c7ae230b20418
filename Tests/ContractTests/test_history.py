"""What was said before there were sessions. That it is told as it is kept, Swift's tests show: no method adds to it."""

from client.refusals import invalid, refused
from heartguard.chat.v1.history_service_pb2 import ListHistoryRequest, ListHistoryResponse


def test_who_was_not_there_before_has_said_nothing(door, ada):
    answer = ada.calls(door.history.ListHistory, ListHistoryRequest(conversation="an old one", page_size=100))
    assert answer == ListHistoryResponse()


def test_what_makes_no_sense_is_refused(door, ada):
    with invalid("conversation", "page_size"):
        ada.calls(door.history.ListHistory, ListHistoryRequest(conversation="x" * 129, page_size=-1))
    with invalid("page_token"):
        ada.calls(door.history.ListHistory, ListHistoryRequest(page_token="x"))
    with refused("UNAUTHENTICATED"):
        door.history.ListHistory(ListHistoryRequest(), timeout=30)


def test_at_the_json_door(json_door, ada):
    answer = json_door.answers(ListHistoryResponse, "GET", "/v1/chat-history", person=ada, params={"pageSize": 5})
    assert answer == ListHistoryResponse()
