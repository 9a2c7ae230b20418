"""kill -9 of Vitals in the middle of a stream of samples: what was answered is there, and going on behind it leaves no gap and no double."""

import math
import threading

import grpc
import pytest
from client.people import PATIENCE
from client.readings import watch
from client.signals import batches, buckets, raw, sample
from processes import kill, pid_of
from waiting import until

KILLS = 3
SAMPLES = 24_000
BATCH = 250


@pytest.mark.parametrize("through", ["the Gateway", "its own port"])
def test_what_was_answered_is_there_and_nothing_is_there_twice(cluster, front, direct, ada, through):
    door = front if through == "the Gateway" else direct
    device = ada.calls(direct.vitals.RegisterDevice, watch()).device.id
    # Twenty-five seconds apart: a week, so that days and hours are rolled up while more comes.
    signal = [sample(n, math.sin(n / 300), seconds=-25 * (SAMPLES - n)) for n in range(SAMPLES)]
    answered, breaks = 0, 0
    victims = {SAMPLES * (number + 1) // (KILLS + 1) for number in range(KILLS)}

    def kill_and_wait():
        victim = kill(cluster, "vitals")
        until(lambda: pid_of(cluster, "vitals") not in (None, victim), "it is back")

    while answered < SAMPLES:
        begin = answered
        stream = door.series.AppendSamples(
            batches(device, signal[begin:], size=BATCH), metadata=ada.metadata, timeout=8 * PATIENCE
        )
        killer = None
        try:
            for answer in stream:
                answered = begin + answer.accepted_count
                due = {place for place in victims if place <= answered}
                if due:
                    victims -= due
                    killer = threading.Thread(target=kill_and_wait)
                    killer.start()
        except grpc.RpcError:
            breaks += 1
            threading.Event().wait(0.2)
        if killer is not None:
            killer.join(4 * PATIENCE)
            # What was answered before the kill is there after it.
            kept = []

            def there(kept=kept):
                try:
                    kept[:] = raw(direct, ada, device)
                except grpc.RpcError:
                    return False
                return True

            until(there, "it can be read", every=0.2)
            assert kept[:answered] == signal[:answered]
            # Of what was not answered a whole message may be there.
            assert kept == signal[: len(kept)] and (len(kept) - answered) % BATCH == 0

    assert breaks >= KILLS and not victims
    assert raw(door, ada, device) == signal
    for seconds in (3_600, 86_400):
        found = buckets(direct, ada, device, seconds)
        assert sum(one.count for one in found) == SAMPLES
        by_start = {}
        for one in signal:
            by_start.setdefault(one.at.seconds // seconds * seconds, []).append(one.value)
        assert [(one.count, one.least, one.greatest) for one in found] == [
            (len(values), min(values), max(values)) for _, values in sorted(by_start.items())
        ]
