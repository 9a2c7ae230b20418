"""What people want to reach, and how far it is."""

import uuid

import pytest
from client.readings import heart_rate, quantity
from client.refusals import invalid, refused
from heartguard.vitals.v1 import goals_pb2
from heartguard.vitals.v1.goals_service_pb2 import (
    AbandonGoalRequest,
    CompleteGoalRequest,
    CreateGoalRequest,
    CreateGoalResponse,
    GetGoalRequest,
    GetGoalResponse,
    ListGoalsRequest,
    ListGoalsResponse,
    ListProgressRequest,
    ListProgressResponse,
    RecordProgressRequest,
    RecordProgressResponse,
    RemoveMilestoneRequest,
    RemoveProgressRequest,
    SetMilestoneRequest,
    SetMilestoneResponse,
    UpdateGoalRequest,
)
from heartguard.vitals.v1.vitals_service_pb2 import RecordObservationsRequest, RetractObservationRequest


def resting(**fields) -> goals_pb2.Goal:
    defaults = dict(
        kind="GOAL_KIND_HEART_RATE", title="Calmer", code="8867-4", unit="/min", start_value="80", target_value="60",
        direction="GOAL_DIRECTION_DECREASE", starts_on="2020-01-01", time_zone="Europe/Berlin",
    )
    return goals_pb2.Goal(**{**defaults, **fields})


def create(door, person, **fields):
    return person.calls(door.goals.CreateGoal, CreateGoalRequest(goal=resting(**fields))).goal


def record(door, person, *values):
    readings = [heart_rate(number, quantity=quantity(value, "/min")) for number, value in values]
    return person.calls(door.vitals.RecordObservations, RecordObservationsRequest(observations=readings)).ids


def progress(door, person, goal):
    return list(person.calls(door.goals.ListProgress, ListProgressRequest(goal_id=goal.id)).entries)


def test_progress_follows_readings_and_entries(door, ada):
    first = record(door, ada, (1, 78))
    goal = create(door, ada)
    assert (goal.current_value, goal.percent, goal.state) == ("78", 10, goals_pb2.GOAL_STATE_ACTIVE)
    milestone = goals_pb2.Milestone(goal_id=goal.id, position=1, title="Half way", target_value="70")
    ada.calls(door.goals.SetMilestone, SetMilestoneRequest(milestone=milestone))
    second = record(door, ada, (2, 69))
    now = ada.calls(door.goals.GetGoal, GetGoalRequest(goal_id=goal.id))
    assert (now.goal.current_value, now.goal.percent) == ("69", 55)
    assert now.milestones[0].HasField("reached_at")
    assert [one.observation_id for one in progress(door, ada, goal)] == [second[0], first[0]]
    ada.calls(door.vitals.RetractObservation, RetractObservationRequest(observation_id=second[0], expected_version=1))
    now = ada.calls(door.goals.GetGoal, GetGoalRequest(goal_id=goal.id))
    assert (now.goal.current_value, now.goal.percent) == ("78", 10)
    assert not now.milestones[0].HasField("reached_at")
    entry = goals_pb2.ProgressEntry(goal_id=goal.id, value="60.0", note="By hand")
    assert ada.calls(door.goals.RecordProgress, RecordProgressRequest(entry=entry)).goal.percent == 100
    assert [one.value for one in progress(door, ada, goal)] == ["60.0", "78"]


def test_a_goal_is_made_once_and_ends_once(door, ada, bob):
    goal = create(door, ada, id=str(uuid.uuid4()))
    assert create(door, ada, id=goal.id) == goal
    with refused("ALREADY_EXISTS"):
        create(door, ada, id=goal.id, title="Calm")
    with refused("NOT_FOUND"):
        bob.calls(door.goals.GetGoal, GetGoalRequest(goal_id=goal.id))
    with refused("ABORTED"):
        ada.calls(door.goals.UpdateGoal, UpdateGoalRequest(goal=resting(id=goal.id, version=7)))
    done = ada.calls(door.goals.CompleteGoal, CompleteGoalRequest(goal_id=goal.id)).goal
    assert done == ada.calls(door.goals.CompleteGoal, CompleteGoalRequest(goal_id=goal.id)).goal
    assert done.state == goals_pb2.GOAL_STATE_COMPLETED
    with refused("FAILED_PRECONDITION"):
        ada.calls(door.goals.AbandonGoal, AbandonGoalRequest(goal_id=goal.id))
    record(door, ada, (1, 61))
    assert progress(door, ada, goal) == []
    assert list(ada.calls(door.goals.ListGoals, ListGoalsRequest(open_only=True)).goals) == []


def test_a_goal_is_changed_and_given_up(door, ada):
    goal = create(door, ada)
    changed = ada.calls(door.goals.UpdateGoal, UpdateGoalRequest(goal=resting(id=goal.id, version=goal.version, title="Calm"))).goal
    assert (changed.title, changed.version) == ("Calm", goal.version + 1)
    wish = goals_pb2.Milestone(goal_id=goal.id, position=1, title="Half way", target_value="70")
    milestone = ada.calls(door.goals.SetMilestone, SetMilestoneRequest(milestone=wish)).milestone
    entry = goals_pb2.ProgressEntry(goal_id=goal.id, value="65")
    entry = ada.calls(door.goals.RecordProgress, RecordProgressRequest(entry=entry)).entry
    ada.calls(door.goals.RemoveMilestone, RemoveMilestoneRequest(goal_id=goal.id, milestone_id=milestone.id))
    ada.calls(door.goals.RemoveProgress, RemoveProgressRequest(goal_id=goal.id, entry_id=entry.id))
    assert not ada.calls(door.goals.GetGoal, GetGoalRequest(goal_id=goal.id)).milestones
    assert progress(door, ada, goal) == []
    given_up = ada.calls(door.goals.AbandonGoal, AbandonGoalRequest(goal_id=goal.id)).goal
    assert given_up.state == goals_pb2.GOAL_STATE_ABANDONED


@pytest.mark.parametrize(
    "due, state", [("2020-01-02", "GOAL_STATE_OVERDUE"), ("2999-01-01", "GOAL_STATE_ACTIVE"), ("", "GOAL_STATE_ACTIVE")]
)
def test_a_goal_is_overdue_when_its_last_day_is_over(direct, ada, due, state):
    assert goals_pb2.GoalState.Name(create(direct, ada, due_on=due).state) == state


def test_what_is_wrong_is_named(door, ada):
    with invalid("goal.kind", "goal.title", "goal.unit", "goal.target_value", "goal.direction"):
        ada.calls(door.goals.CreateGoal, CreateGoalRequest(goal=goals_pb2.Goal()))
    with invalid("goal.unit"):
        create(door, ada, unit="kg")


def test_goals_in_json(json_door, ada):
    body = {
        "goal": {
            "kind": "GOAL_KIND_STEPS", "title": "Walk", "unit": "steps", "startValue": "0", "targetValue": "10000",
            "direction": "GOAL_DIRECTION_INCREASE",
        }
    }
    goal = json_door.answers(CreateGoalResponse, "POST", "/v1/goals", person=ada, json=body).goal
    milestone = {"milestone": {"goalId": goal.id, "position": 1, "title": "Half", "targetValue": "5000"}}
    json_door.answers(SetMilestoneResponse, "PUT", "/v1/milestones", person=ada, json=milestone)
    entry = {"entry": {"goalId": goal.id, "value": "5500"}}
    recorded = json_door.answers(RecordProgressResponse, "POST", "/v1/progress", person=ada, json=entry)
    assert recorded.goal.percent == 55
    read = json_door.answers(GetGoalResponse, "GET", f"/v1/goals/{goal.id}", person=ada)
    assert read.milestones[0].reached_at == recorded.entry.at
    listed = json_door.answers(ListProgressResponse, "GET", f"/v1/goals/{goal.id}/progress", person=ada)
    assert list(listed.entries) == [recorded.entry]
    assert len(json_door.answers(ListGoalsResponse, "GET", "/v1/goals", person=ada).goals) == 1
