"""kill -9 in the midst of writes with idempotency-keys, each made again until it is answered: each has had its effect once, and whoever asks
again is answered with the same bytes."""

import grpc
import pytest
from client import methods, people
from client.keys import Answer, ask, new_key
from heartguard.chat.v1.chat_service_pb2 import CreateSessionRequest, CreateSessionResponse, ListSessionsRequest
from load import PASSING, PATIENCE, Writer
from processes import kill, pid_of
from waiting import until

CREATE = methods.named("ChatService.CreateSession")

# The first call's handler was killed after the commit, or its answer never came: then nobody but the key knows.
AGAIN = PASSING | {grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED}


class Openers(Writer):
    """Opens one conversation after the other, which without a key would be one more at each try."""

    def __init__(self, name: str, person, channel):
        super().__init__(name, self._open)
        self._pace = 0.02
        self._person, self._channel = person, channel
        self.requests: dict[int, tuple[str, CreateSessionRequest]] = {}
        self.answers: dict[int, Answer] = {}
        self.tries = 0

    def ask(self, number: int, channel=None) -> Answer:
        key, request = self.requests.setdefault(number, (new_key(), CreateSessionRequest(title=f"Conversation {number}")))
        return ask(CREATE, channel or self._channel, request, self._person, key, timeout=PATIENCE)

    def _open(self, number: int) -> None:
        self.tries += 1
        self.answers[number] = self.ask(number)

    def step(self) -> None:
        try:
            super().step()
        except grpc.RpcError as error:
            if error.code() not in AGAIN:
                raise


def opened(direct, person) -> list[str]:
    """The ids of all of a person's conversations."""
    found, token = [], ""
    while True:
        page = person.calls(direct.chat.ListSessions, ListSessionsRequest(page_size=100, page_token=token))
        found += [session.id for session in page.sessions]
        token = page.next_page_token
        if not token:
            return found


@pytest.mark.parametrize("victim", ["chat", "postgres", "gateway"])
def test_each_key_has_its_effect_once_whatever_is_killed(cluster, front, direct, victim):
    # Several, each at its own pace, so that a kill meets calls in every state; each has a budget of calls of its own.
    persons = [people.register(direct.users, name="Writer") for _ in range(6)]
    writers = [Openers(f"writer {number}", person, direct.channel("chat") if number % 2 else front.channel("chat"))
               for number, person in enumerate(persons)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(3):
            before = [writer.acknowledged for writer in writers]
            until(lambda: all(w.acknowledged >= b + 5 for w, b in zip(writers, before, strict=True)), "all have written")
            killed = kill(cluster, victim)
            until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")
        before = [writer.acknowledged for writer in writers]
        until(lambda: all(w.acknowledged > b for w, b in zip(writers, before, strict=True)), "all write again")
    finally:
        for writer in writers:
            writer.stop()

    assert [fault for writer in writers for fault in writer.faults] == []
    tried_again = 0
    for writer, person in zip(writers, persons, strict=True):
        # What was begun last may have had its effect without an answer; it is asked for once more.
        for number in writer.requests.keys() - writer.answers.keys():
            writer.answers[number] = writer.ask(number, direct.channel("chat"))
        ids = [CreateSessionResponse.FromString(answer.content).session.id for answer in writer.answers.values()]
        assert len(set(ids)) == len(writer.requests) == len(ids)
        assert sorted(opened(direct, person)) == sorted(ids), "one conversation for each key"
        for number, answer in writer.answers.items():
            assert writer.ask(number, direct.channel("chat")) == Answer(answer.content, True)
        tried_again += writer.tries - len(writer.answers)
    # Of Postgres a caller may notice nothing: a call waits for its audit event and for a connection, and Postgres may be back by then.
    assert tried_again > 0 or victim == "postgres", "no kill met a call"
