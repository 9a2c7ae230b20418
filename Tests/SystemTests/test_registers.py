"""Registers that two replicas of Vectors answer for: who demands the position of a write sees that write or a later one, whichever replica is
asked, and who demands what was seen before never sees less; also while one of the two is killed and comes back.

A register is a document whose embedding is its number. Searches ask for ids and scores alone, so they say what the index knows, and not the table."""

import math
import random
import secrets

import grpc
from heartguard.vectors.v1 import vectors_pb2, vectors_service_pb2
from load import PASSING, PATIENCE, Loop
from replica import VectorsReplica
from waiting import until

MODEL = "number"
REGISTERS = 4
KILLS = 5


class Register:
    def __init__(self, collection: str, name: str):
        self.collection, self.name = collection, name
        # the highest number that was sent, and the last that was acknowledged with its position
        self.sent = 0
        self.acknowledged = (0, 0)


class Setter(Loop):
    """Counts a register up, at one replica or the other; each number is sent again until it is acknowledged."""

    def __init__(self, register, operator, stubs, seed):
        super().__init__(f"setter of {register.name}", pace=0.01)
        self._register, self._operator, self._stubs = register, operator, stubs
        self._chance = random.Random(seed)

    def step(self):
        register = self._register
        number = register.acknowledged[0] + 1
        register.sent = number
        request = vectors_service_pb2.UpsertDocumentsRequest(collection=register.collection, model_id=MODEL)
        request.documents.add(id=register.name, embedding=[number], metadata={"register": register.name})
        try:
            answer = self._operator.calls(self._chance.choice(self._stubs).UpsertDocuments, request, timeout=PATIENCE)
        except grpc.RpcError as error:
            if error.code() not in PASSING:
                raise
            return
        register.acknowledged = (number, answer.position)


class Watcher(Loop):
    """Reads a register at one replica or the other, and demands what it knows of."""

    def __init__(self, register, person, stubs, seed):
        super().__init__(f"watcher {seed} of {register.name}", pace=0.01)
        self._register, self._person, self._stubs = register, person, stubs
        self._chance = random.Random(seed)
        # the number that must be seen at least, and the position to be demanded for it
        self._least = (0, 0)
        self.answers = 0

    def step(self):
        register = self._register
        number, position = max(self._least, register.acknowledged)
        request = vectors_service_pb2.SearchRequest(
            collection=register.collection,
            model_id=MODEL,
            embedding=[-1],
            limit=1,
            filter={"register": register.name},
            min_position=position,
            view=vectors_service_pb2.MATCH_VIEW_ID,
        )
        try:
            answer = self._person.calls(self._chance.choice(self._stubs).Search, request, timeout=PATIENCE)
        except grpc.RpcError as error:
            if error.code() not in PASSING:
                raise
            return
        assert answer.position >= position
        # the score is minus the square of how far the number is from -1
        seen = round(math.sqrt(-answer.matches[0].score)) - 1 if answer.matches else 0
        assert number <= seen <= register.sent, f"{seen} was seen; {number} was demanded, and {register.sent} sent"
        self._least = (seen, answer.position)
        self.answers += 1


def test_who_demands_a_position_sees_no_older_state_at_any_replica(cluster, direct, operator, reader, tmp_path):
    name = f"registers_{secrets.token_hex(4)}"
    made = vectors_service_pb2.CreateCollectionRequest(
        name=name, model_id=MODEL, dimension=1, metric=vectors_pb2.METRIC_EUCLIDEAN
    )
    operator.calls(direct.vectors.CreateCollection, made)
    registers = [Register(name, f"register-{number}") for number in range(REGISTERS)]
    with VectorsReplica(cluster, tmp_path) as replica:
        stubs = [direct.vectors, replica.vectors]
        setters = [Setter(register, operator, stubs, seed) for seed, register in enumerate(registers)]
        watchers = [Watcher(register, reader, stubs, seed) for seed in range(2) for register in registers]
        loops = [*setters, *watchers]

        def go_on(what):
            numbers = [register.acknowledged[0] for register in registers]
            answers = [watcher.answers for watcher in watchers]

            def have_gone_on():
                return all(register.acknowledged[0] > number + 5 for register, number in zip(registers, numbers)) and all(
                    watcher.answers > count + 5 for watcher, count in zip(watchers, answers)
                )

            until(lambda: any(loop.faults for loop in loops) or have_gone_on(), what)

        for loop in loops:
            loop.start()
        try:
            go_on("both replicas answer")
            for _ in range(KILLS):
                replica.kill()
                replica.start()
                go_on("everybody goes on after a kill")
        finally:
            for loop in loops:
                loop.stop()
        assert [fault for loop in loops for fault in loop.faults] == []

    operator.calls(direct.vectors.DeleteCollection, vectors_service_pb2.DeleteCollectionRequest(collection=name))
