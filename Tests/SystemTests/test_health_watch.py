"""What those who watch a service's health hear when its database goes and comes back."""

import threading
import time

import pytest
from client.cluster import SERVICES
from client.people import PATIENCE
from grpc_health.v1 import health_pb2, health_pb2_grpc
from processes import kill, nobody_restarting, pid_of
from waiting import until

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


class Watcher:
    """Keeps what one service's Watch says, and when it said it."""

    def __init__(self, cluster, service):
        self._channel = cluster.new_channel(service)
        self._call = health_pb2_grpc.HealthStub(self._channel).Watch(health_pb2.HealthCheckRequest(), timeout=10 * PATIENCE)
        self.heard: list[tuple[float, int]] = []
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        try:
            for response in self._call:
                self.heard.append((time.monotonic(), response.status))
        except Exception:
            # the end of the test cancels the call
            pass

    @property
    def statuses(self) -> list[int]:
        return [status for _, status in self.heard]

    def stop(self) -> None:
        self._call.cancel()
        self._thread.join()
        self._channel.close()


@pytest.fixture
def watchers(cluster):
    watchers = {service: Watcher(cluster, service) for service in SERVICES}
    for service, watcher in watchers.items():
        until(lambda: watcher.statuses[-1:] == [SERVING], f"{service} serves")
    yield watchers
    for watcher in watchers.values():
        watcher.stop()


def test_who_watches_hears_within_a_second_that_the_database_has_stopped(cluster, watchers):
    with nobody_restarting(cluster):
        killed = kill(cluster, "postgres")
        stopped = time.monotonic()
        for service, watcher in watchers.items():
            until(lambda: watcher.statuses[-1] == NOT_SERVING, f"{service} does not serve")
    for service, watcher in watchers.items():
        assert watcher.heard[-1][0] - stopped < 1, service
    until(lambda: pid_of(cluster, "postgres") not in (None, killed), "postgres is started again")
    for service, watcher in watchers.items():
        until(lambda: watcher.statuses[-1] == SERVING, f"{service} serves again")
