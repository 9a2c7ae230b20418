"""What models said of people, which nobody changes."""

import hashlib
import uuid

from client.readings import at
from client.refusals import invalid, refused
from google.protobuf.struct_pb2 import Struct
from heartguard.vitals.v1.predictions_service_pb2 import (
    GetPredictionRequest,
    GetPredictionResponse,
    ListPredictionsRequest,
    ListPredictionsResponse,
    Prediction,
    RecordPredictionRequest,
    RecordPredictionResponse,
)


def risk(number: int = 0, **fields) -> Prediction:
    explanation = Struct()
    explanation.update({"features": [{"name": "age", "weight": 0.25}], "method": "shap"})
    defaults = dict(
        id=str(uuid.uuid4()), kind="PREDICTION_KIND_HEART_RISK", model_id="risk-net", model_version="3.1",
        inputs_sha256=hashlib.sha256(b"inputs").digest(), score="0.8123", calibrated_score="0.6", confidence="0.9",
        risk_level="RISK_LEVEL_HIGH", explanation=explanation, recommendations=["See a cardiologist"],
        predicted_at=at(number),
    )
    return Prediction(**{**defaults, **fields})


def keep(door, person, prediction):
    return person.calls(door.predictions.RecordPrediction, RecordPredictionRequest(prediction=prediction)).prediction


def test_a_prediction_is_kept_once_as_it_was(door, ada, bob):
    given = risk()
    kept = keep(door, ada, given)
    assert keep(door, ada, given) == kept
    assert ada.calls(door.predictions.GetPrediction, GetPredictionRequest(prediction_id=given.id)).prediction == kept
    kept.ClearField("recorded_at")
    assert kept == given
    with refused("ALREADY_EXISTS"):
        keep(door, ada, risk(id=given.id, score="0.1"))
    with refused("NOT_FOUND"):
        bob.calls(door.predictions.GetPrediction, GetPredictionRequest(prediction_id=given.id))


def test_predictions_are_listed_newest_first_and_by_model(door, ada):
    made = [keep(door, ada, risk(number, model_id=f"model-{number % 2}")) for number in range(6)]
    everything = ada.calls(door.predictions.ListPredictions, ListPredictionsRequest())
    assert list(everything.predictions) == made[::-1]
    pages, token = [], ""
    while not pages or token:
        request = ListPredictionsRequest(model_id="model-1", page_size=2, page_token=token)
        page = ada.calls(door.predictions.ListPredictions, request)
        pages += page.predictions
        token = page.next_page_token
    assert pages == made[5::-2]


def test_what_is_wrong_is_named(door, ada):
    with invalid("prediction.inputs_sha256", "prediction.score", "prediction.confidence"):
        keep(door, ada, risk(inputs_sha256=b"short", score="1.5", confidence="0.12345"))


def test_predictions_in_json(json_door, ada):
    body = {
        "prediction": {
            "id": str(uuid.uuid4()), "kind": "PREDICTION_KIND_DIABETES", "modelId": "glu", "modelVersion": "1",
            "inputsSha256": "A" * 43 + "=", "score": "0.25", "riskLevel": "RISK_LEVEL_LOW",
            "explanation": {"why": ["because"]}, "predictedAt": at(1).ToJsonString(),
        }
    }
    kept = json_door.answers(RecordPredictionResponse, "POST", "/v1/predictions", person=ada, json=body).prediction
    read = json_door.answers(GetPredictionResponse, "GET", f"/v1/predictions/{kept.id}", person=ada).prediction
    listed = json_door.answers(
        ListPredictionsResponse, "GET", "/v1/predictions", person=ada, params={"modelId": "glu"}
    ).predictions
    assert kept == read == listed[0]
