"""Rules, the alerts that come of them, and how people are told."""

import threading
import time
import uuid

from client.readings import HEART_RATE, at, quantity
from client.refusals import invalid, refused
from google.protobuf.timestamp_pb2 import Timestamp
from heartguard.users.v1 import users_pb2
from heartguard.users.v1.users_service_pb2 import ListNotificationsRequest
from heartguard.vitals.v1 import alerts_pb2, vitals_pb2
from heartguard.vitals.v1.alerts_service_pb2 import (
    AcknowledgeAlertRequest,
    CreateAlertRuleRequest,
    CreateAlertRuleResponse,
    DeleteAlertRuleRequest,
    ListAlertRulesRequest,
    ListAlertsRequest,
    ListAlertsResponse,
    ReplayAlertsRequest,
    ResolveAlertRequest,
    UpdateAlertRuleRequest,
    VerifyAlertRequest,
    VerifyAlertResponse,
)
from heartguard.vitals.v1.vitals_service_pb2 import CorrectObservationRequest, RecordObservationsRequest

_never = threading.Event()


def fast(**fields) -> alerts_pb2.AlertRule:
    defaults = dict(
        name="Fast",
        code=HEART_RATE,
        condition=alerts_pb2.ALERT_CONDITION_ABOVE,
        threshold="120",
        clear_at="110",
        unit="/min",
        severity=alerts_pb2.ALERT_SEVERITY_HIGH,
        enabled=True,
    )
    return alerts_pb2.AlertRule(**{**defaults, **fields})


def create(door, person, **fields):
    return person.calls(door.alerts.CreateAlertRule, CreateAlertRuleRequest(rule=fast(**fields))).rule


def record(door, person, values, begin: float = 0, first: int = 1):
    """One a second from now on: a rule judges what comes behind it."""
    now = time.time()
    readings = [
        vitals_pb2.Observation(
            code=HEART_RATE,
            quantity=quantity(value, "/min"),
            effective_at=Timestamp(nanos=0, seconds=int(now) + 1 + int(begin) + number),
            source="watch",
            sequence=first + number,
        )
        for number, value in enumerate(values)
    ]
    return list(person.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=readings)).ids)


def alerts(door, person, **fields):
    return list(person.calls(door.alerts.ListAlerts, ListAlertsRequest(**fields)).alerts)


def test_a_noisy_trace_makes_one_alert_that_is_told_of_once_and_proven(door, ada, bob):
    rule = create(door, ada)
    readings = record(door, ada, [100, 119, 121, 118, 122, 119, 120, 111, 121, 117, 125, 118, 109, 111, 115])

    (alert,) = alerts(door, ada)
    assert (alert.rule_id, alert.rule_version, alert.title) == (rule.id, 1, "Fast")
    assert alert.observation_id == readings[2]
    assert alert.quantity == quantity("121", "/min")
    assert alert.HasField("cleared_at") and alert.HasField("resolved_at")
    assert alerts(door, ada, open_only=True) == alerts(door, bob) == []
    proof = ada.calls(door.alerts.VerifyAlert, VerifyAlertRequest(alert_id=alert.id))
    assert proof.reproduced
    assert [reading.observation_id for reading in proof.evidence] == [readings[2]]
    assert proof.clearing.observation_id == readings[12]
    replay = ada.calls(door.alerts.ReplayAlerts, ReplayAlertsRequest(rule_id=rule.id))
    assert (replay.reproduced, replay.judged_count, list(replay.observation_ids)) == (True, 15, [readings[2]])

    end = time.monotonic() + 60
    while not (told := ada.calls(door.users.ListNotifications, ListNotificationsRequest()).notifications):
        assert time.monotonic() < end, "nobody was told within a minute"
        _never.wait(0.1)
    assert [(message.kind, message.title) for message in told] == [(users_pb2.NOTIFICATION_KIND_HEALTH_ALERT, "Fast")]
    assert not bob.calls(door.users.ListNotifications, ListNotificationsRequest()).notifications


def test_a_correction_withdraws_an_alert_and_makes_it_again(door, ada):
    rule = create(door, ada)
    (_, reading, _) = record(door, ada, [100, 130, 100])
    for version, value, withdrawn in ((1, "101", True), (2, "140", False)):
        change = CorrectObservationRequest(
            observation_id=reading, expected_version=version, quantity=quantity(value, "/min")
        )
        ada.calls(door.vitals.CorrectObservation, change)
        (alert,) = alerts(door, ada)
        assert alert.HasField("withdrawn_at") == withdrawn
        assert ada.calls(door.alerts.ReplayAlerts, ReplayAlertsRequest(rule_id=rule.id)).reproduced
    assert alert.quantity.value == "140"
    assert ada.calls(door.alerts.VerifyAlert, VerifyAlertRequest(alert_id=alert.id)).reproduced


def test_an_alert_is_acknowledged_and_closed_by_its_person(door, ada, bob):
    create(door, ada)
    record(door, ada, [130])
    (alert,) = alerts(door, ada, open_only=True)
    for method, request in (
        (door.alerts.AcknowledgeAlert, AcknowledgeAlertRequest(alert_id=alert.id)),
        (door.alerts.ResolveAlert, ResolveAlertRequest(alert_id=alert.id, resolution="I ran.")),
    ):
        with refused("NOT_FOUND"):
            bob.calls(method, request)
        done = ada.calls(method, request).alert
        assert ada.calls(method, request).alert == done
    assert done.HasField("acknowledged_at") and done.HasField("resolved_at") and done.resolution == "I ran."
    record(door, ada, [131, 132], begin=1, first=2)
    assert alerts(door, ada, open_only=True) == []
    record(door, ada, [100, 133], begin=4, first=4)
    assert [alert.quantity.value for alert in alerts(door, ada, open_only=True)] == ["133"]


def test_alerts_come_in_pages(door, ada):
    create(door, ada)
    record(door, ada, [130, 100] * 5)
    seen, token = [], ""
    while True:
        page = ada.calls(door.alerts.ListAlerts, ListAlertsRequest(page_size=2, page_token=token))
        seen += [alert.id for alert in page.alerts]
        token = page.next_page_token
        if not token:
            break
    assert seen == [alert.id for alert in alerts(door, ada)]
    assert len(seen) == 5
    with invalid("page_token"):
        ada.calls(door.alerts.ListAlerts, ListAlertsRequest(page_token="garbage"))


def test_a_rule_has_versions_and_one_owner(door, ada, bob):
    mine = str(uuid.uuid4())
    rule = create(door, ada, id=mine)
    assert create(door, ada, id=mine) == rule
    with refused("ALREADY_EXISTS"):
        create(door, ada, id=mine, threshold="121")
    assert rule.version == 1 and rule.HasField("since")

    rule.threshold = "140"
    rule.ClearField("since")
    changed = ada.calls(door.alerts.UpdateAlertRule, UpdateAlertRuleRequest(rule=rule)).rule
    assert changed.version == 2
    assert ada.calls(door.alerts.UpdateAlertRule, UpdateAlertRuleRequest(rule=rule)).rule == changed
    rule.threshold = "141"
    with refused("ABORTED"):
        ada.calls(door.alerts.UpdateAlertRule, UpdateAlertRuleRequest(rule=rule))
    with refused("NOT_FOUND"):
        bob.calls(door.alerts.UpdateAlertRule, UpdateAlertRuleRequest(rule=rule))
    with refused("NOT_FOUND"):
        bob.calls(door.alerts.ReplayAlerts, ReplayAlertsRequest(rule_id=mine))
    bob.calls(door.alerts.DeleteAlertRule, DeleteAlertRuleRequest(rule_id=mine))
    assert list(ada.calls(door.alerts.ListAlertRules, ListAlertRulesRequest()).rules) == [changed]
    for _ in range(2):
        ada.calls(door.alerts.DeleteAlertRule, DeleteAlertRuleRequest(rule_id=mine))
    assert not ada.calls(door.alerts.ListAlertRules, ListAlertRulesRequest()).rules
    record(door, ada, [200])
    assert alerts(door, ada) == []


def test_a_rule_that_makes_no_sense_is_refused_by_its_fields(door, ada):
    with invalid("rule"):
        ada.calls(door.alerts.CreateAlertRule, CreateAlertRuleRequest())
    with invalid("rule.clear_at"):
        create(door, ada, clear_at="120")
    with invalid("rule.unit", "rule.min_samples"):
        create(door, ada, unit="kg", min_samples=101)
    with invalid("rule.version", "rule.since"):
        create(door, ada, version=1, since=at(0))


def test_at_the_json_door(json_door, direct, ada):
    rule = {
        "name": "Fast",
        "code": HEART_RATE,
        "condition": "ALERT_CONDITION_ABOVE",
        "threshold": "120",
        "clearAt": "110",
        "unit": "/min",
        "severity": "ALERT_SEVERITY_WARNING",
        "enabled": True,
    }
    made = json_door.answers(CreateAlertRuleResponse, "POST", "/v1/alert-rules", person=ada, json={"rule": rule}).rule
    record(direct, ada, [130])
    (alert,) = json_door.answers(ListAlertsResponse, "GET", "/v1/alerts", person=ada, params={"openOnly": "true"}).alerts
    assert alert.rule_id == made.id
    path = f"/v1/alerts/{alert.id}/verification"
    assert json_door.answers(VerifyAlertResponse, "GET", path, person=ada).reproduced
    json_door.refuses(404, "NOT_FOUND", "POST", f"/v1/alerts/{uuid.uuid4()}/acknowledge", person=ada, json={})
