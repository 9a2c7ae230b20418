"""Giving and withdrawing consent."""

from client.refusals import invalid, refused
from heartguard.users.v1 import users_pb2
from heartguard.users.v1.users_service_pb2 import (
    GiveConsentRequest,
    ListConsentHistoryRequest,
    ListConsentHistoryResponse,
    ListConsentsRequest,
    WithdrawConsentRequest,
)

RESEARCH = users_pb2.CONSENT_KIND_RESEARCH
ANALYSIS = users_pb2.CONSENT_KIND_AI_ANALYSIS


def give(door, person, kind, text="2026-02"):
    return person.calls(door.users.GiveConsent, GiveConsentRequest(kind=kind, document_version=text)).consent


def withdraw(door, person, kind):
    return person.calls(door.users.WithdrawConsent, WithdrawConsentRequest(kind=kind)).consent


def standing(door, person):
    consents = person.calls(door.users.ListConsents, ListConsentsRequest()).consents
    return {consent.kind: consent for consent in consents}


def test_at_first_nothing_is_consented_to(door, ada):
    assert standing(door, ada) == {}


def test_consent_is_given_to_one_text(door, ada):
    consent = give(door, ada, RESEARCH)
    assert consent.granted
    assert consent.document_version == "2026-02"
    assert consent.HasField("granted_at") and not consent.HasField("withdrawn_at")
    assert consent.epoch == 1
    assert standing(door, ada) == {RESEARCH: consent}


def test_giving_it_again_to_the_same_text_changes_nothing(door, ada):
    assert give(door, ada, RESEARCH) == give(door, ada, RESEARCH)


def test_a_new_text_is_a_new_consent(door, ada):
    old = give(door, ada, RESEARCH, "2026-02")
    new = give(door, ada, RESEARCH, "2026-03")
    assert new.document_version == "2026-03"
    assert new.epoch == old.epoch + 1


def test_consent_that_was_withdrawn_still_says_what_it_was(door, ada):
    given = give(door, ada, RESEARCH)
    withdrawn = withdraw(door, ada, RESEARCH)
    assert not withdrawn.granted
    assert withdrawn.HasField("withdrawn_at")
    assert withdrawn.document_version == given.document_version
    assert withdrawn.epoch == given.epoch + 1
    assert withdraw(door, ada, RESEARCH) == withdrawn
    assert standing(door, ada) == {RESEARCH: withdrawn}


def test_consent_can_be_given_again(door, ada):
    give(door, ada, RESEARCH)
    withdrawn = withdraw(door, ada, RESEARCH)
    again = give(door, ada, RESEARCH)
    assert again.granted
    assert not again.HasField("withdrawn_at")
    assert again.epoch == withdrawn.epoch + 1


def test_each_kind_stands_by_itself(door, ada):
    give(door, ada, RESEARCH)
    give(door, ada, ANALYSIS)
    withdraw(door, ada, RESEARCH)
    assert {kind: consent.granted for kind, consent in standing(door, ada).items()} == {RESEARCH: False, ANALYSIS: True}


def test_what_was_never_given_cannot_be_withdrawn(door, ada):
    with refused("NOT_FOUND"):
        withdraw(door, ada, RESEARCH)


def test_consent_needs_a_kind_and_a_text(door, ada):
    with invalid("kind", "document_version"):
        give(door, ada, users_pb2.CONSENT_KIND_UNSPECIFIED, "")
    with invalid("kind"):
        give(door, ada, 99)
    with invalid("kind"):
        withdraw(door, ada, users_pb2.CONSENT_KIND_UNSPECIFIED)


def test_consents_are_nobody_elses(door, ada, bob):
    give(door, ada, RESEARCH)
    assert standing(door, bob) == {}
    with refused("NOT_FOUND"):
        withdraw(door, bob, RESEARCH)
    assert standing(door, ada)[RESEARCH].granted


def history(door, person, **fields):
    return list(person.calls(door.users.ListConsentHistory, ListConsentHistoryRequest(**fields)).changes)


def test_each_change_is_kept(door, ada, bob):
    give(door, ada, RESEARCH, "2026-02")
    give(door, ada, RESEARCH, "2026-02")
    withdraw(door, ada, RESEARCH)
    give(door, ada, ANALYSIS, "2026-03")
    changes = history(door, ada)
    told = [(change.kind, change.granted, change.document_version, change.epoch) for change in changes]
    assert told == [(ANALYSIS, True, "2026-03", 1), (RESEARCH, False, "2026-02", 2), (RESEARCH, True, "2026-02", 1)]
    assert all(change.HasField("happened_at") for change in changes)
    assert history(door, ada, kind=RESEARCH) == changes[1:]
    assert not history(door, bob)
    page = ada.calls(door.users.ListConsentHistory, ListConsentHistoryRequest(page_size=2))
    rest = ada.calls(door.users.ListConsentHistory, ListConsentHistoryRequest(page_size=2, page_token=page.next_page_token))
    assert list(page.changes) + list(rest.changes) == changes and not rest.next_page_token
    with invalid("page_size"):
        history(door, ada, page_size=-1)


def test_the_history_at_the_json_door(json_door, front, ada):
    give(front, ada, RESEARCH)
    told = json_door.answers(ListConsentHistoryResponse, "GET", "/v1/consents/history", person=ada, params={"pageSize": 5})
    assert list(told.changes) == history(front, ada) and len(told.changes) == 1
