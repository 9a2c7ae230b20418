"""kill -9 of Vitals while somebody records and somebody follows: what was acknowledged is there once, with its alerts, and comes once."""

import threading

import grpc
import pytest
from client.people import PATIENCE
from client.readings import HEART_RATE, quantity
from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.users.v1.users_service_pb2 import ListNotificationsRequest
from heartguard.vitals.v1 import vitals_pb2
from heartguard.vitals.v1.alerts_service_pb2 import (
    ListAlertsRequest,
    ReplayAlertsRequest,
)
from heartguard.vitals.v1.live_service_pb2 import SubscribeRequest
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest
from processes import kill, pid_of
from test_alerts import create
from waiting import until

KILLS = 3
BATCHES = 60


class Follower:
    """Follows a person, and goes on with the last token whenever the stream ends."""

    def __init__(self, door, person):
        self.door, self.person = door, person
        self.token = ""
        self.readings, self.alerts = [], []
        self.breaks = 0
        self.stops = threading.Event()
        self.ready = threading.Event()
        self.stream = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stops.is_set():
            try:
                request = SubscribeRequest(resume_token=self.token)
                self.stream = self.door.live.Subscribe(request, metadata=self.person.metadata, timeout=200)
                for news in self.stream:
                    self.token = news.resume_token
                    self.ready.set()
                    if news.HasField("observation"):
                        self.readings.append(news.observation.id)
                    if news.HasField("alert"):
                        self.alerts.append(news.alert)
                    if self.stops.is_set():
                        break
            except grpc.RpcError:
                self.breaks += 1
                self.stops.wait(0.2)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(PATIENCE)
        return self

    def __exit__(self, *_):
        self.stops.set()
        if self.stream is not None:
            self.stream.cancel()
        self.thread.join(PATIENCE)


@pytest.mark.parametrize("through", ["the Gateway", "its own port"])
def test_a_follower_misses_nothing_and_gets_nothing_twice(cluster, front, direct, ada, through):
    door = front if through == "the Gateway" else direct
    rule = create(direct, ada)
    begin = rule.since.seconds + 1
    # Beyond the threshold in every third reading, and clear in the others: an alert for each.
    batches = [
        [
            vitals_pb2.Observation(
                code=HEART_RATE,
                quantity=quantity(130 if number % 3 == 1 else 100, "/min"),
                effective_at=Timestamp(seconds=begin, nanos=number * 1_000_000),
                source="watch",
                sequence=number,
            )
            for number in range(start, start + 10)
        ]
        for start in range(0, BATCHES * 10, 10)
    ]
    kept = []
    with Follower(door, ada) as follower:
        for number, batch in enumerate(batches):
            if number % (BATCHES // KILLS) == 5:
                victim = kill(cluster, "vitals")
                threading.Thread(
                    target=lambda was=victim: until(lambda: pid_of(cluster, "vitals") not in (None, was), "it is back")
                ).start()

            def recorded(batch=batch):
                # The device sends again until it is told that its readings are kept.
                try:
                    answer = ada.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=batch))
                except grpc.RpcError:
                    return False
                kept.extend(answer.ids)
                return True

            until(recorded, "the readings are kept", every=0.2)
        until(lambda: len(follower.readings) >= len(kept), "all readings came")
        # Those that a reading raised come behind it.
        until(lambda: len({alert.id for alert in follower.alerts}) >= BATCHES * 10 // 3, "all alerts came")

    assert follower.breaks >= 1
    assert follower.readings == kept
    alerts, token = [], ""
    while True:
        page = ada.calls(direct.alerts.ListAlerts, ListAlertsRequest(page_size=100, page_token=token))
        alerts += page.alerts
        token = page.next_page_token
        if not token:
            break
    assert len(alerts) == BATCHES * 10 // 3
    assert len({alert.observation_id for alert in alerts}) == len(alerts)
    assert ada.calls(direct.alerts.ReplayAlerts, ReplayAlertsRequest(rule_id=rule.id)).reproduced
    # An alert may come a second time because it changed, as when it was over; never twice the same.
    seen = [(alert.id, alert.cleared_at.ToNanoseconds()) for alert in follower.alerts]
    assert len(seen) == len(set(seen))
    assert {alert.id for alert in follower.alerts} == {alert.id for alert in alerts}

    def told():
        notifications, token = [], ""
        while True:
            request = ListNotificationsRequest(page_size=100, page_token=token)
            page = ada.calls(direct.users.ListNotifications, request)
            notifications += page.notifications
            token = page.next_page_token
            if not token:
                return notifications

    until(lambda: len(told()) >= len(alerts), "everybody is told of everything", every=0.5, within=120)
    assert len(told()) == len(alerts)
