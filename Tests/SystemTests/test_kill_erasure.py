"""kill -9 of whatever takes part in an erasure, while it is under way."""

import os
import subprocess

import pytest
from client.cluster import SERVICES
from client.erasures import finished, verified
from client.readings import heart_rate
from heartguard.users.v1.users_service_pb2 import EraseAccountRequest
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest
from processes import kill, pid_of
from waiting import until

# more than are removed at a time
READINGS = 3_000


@pytest.mark.parametrize("victim", (*SERVICES, "postgres", "redis_durable"))
def test_an_erasure_comes_to_its_end_and_counts_each_row_once(cluster, direct, operator, ada, victim):
    for start in range(0, READINGS, 1_000):
        readings = [heart_rate(number) for number in range(start, start + 1_000)]
        ada.calls(direct.vitals.RecordObservations, RecordObservationsRequest(observations=readings))

    erasure = ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password)).erasure
    killed = kill(cluster, victim)
    until(lambda: pid_of(cluster, victim) not in (None, killed), f"{victim} is started again")
    done = finished(direct.users, operator, erasure.id)

    removed = verified(cluster, done.receipt)["removed"]
    assert removed["users"] == {"users": 1, "sessions": 1, "refresh_tokens": 1}
    assert removed["vitals"] == {"timelines": 1, "vitals": READINGS}


def test_the_command_verifies_a_receipt_by_itself(cluster, direct, operator, ada, tmp_path):
    erasure = ada.calls(direct.users.EraseAccount, EraseAccountRequest(password=ada.password)).erasure
    receipt = finished(direct.users, operator, erasure.id).receipt
    program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")

    def verify(text: str, *arguments):
        file = tmp_path / "receipt.jws"
        file.write_text(text)
        command = [program, "receipts", "verify", file, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    held = verify(receipt + "\n", "--state-dir", cluster.state)
    assert held.returncode == 0 and erasure.id in held.stdout and "users.users: 1" in held.stdout
    # the public keys are all that it needs
    assert verify(receipt, "--keys", cluster.state / "token-jwks.json").stdout == held.stdout
    header, claims, mark = receipt.split(".")
    changed = verify(f"{header}.{claims[:40]}{'A' if claims[40] != 'A' else 'B'}{claims[41:]}.{mark}", "--state-dir", cluster.state)
    assert changed.returncode == 1 and "changed" in changed.stderr and not changed.stdout
