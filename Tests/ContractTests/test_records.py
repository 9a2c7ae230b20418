"""What people keep of their own: whom to call, who pays, which devices, how the apps are set."""

import uuid

from client import people
from client.refusals import invalid, refused
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Value
from heartguard.users.v1 import records_service_pb2 as records


def contact(**fields):
    fields = {"id": str(uuid.uuid4()), "name": "Bob", "relationship": "CONTACT_RELATIONSHIP_FRIEND", "phone": "+4930123456", **fields}
    return records.CreateEmergencyContactRequest(**fields)


def insurance(**fields):
    fields = {
        "id": str(uuid.uuid4()),
        "insurer": "Insurer",
        "policy_number": uuid.uuid4().hex,
        "holder_name": "Ada",
        "valid_from": "2026-01-01",
        **fields,
    }
    return records.CreateInsuranceRequest(**fields)


def secret_token() -> str:
    token = f"token-{uuid.uuid4().hex}"
    people.issued_secrets.add(token)
    return token


def test_contacts(door, ada, bob):
    wish = contact(primary=True)
    made = ada.calls(door.records.CreateEmergencyContact, wish).contact
    assert ada.calls(door.records.CreateEmergencyContact, wish).contact == made
    wish.name = "Carl"
    with refused("ALREADY_EXISTS"):
        ada.calls(door.records.CreateEmergencyContact, wish)
    first = ada.calls(door.records.CreateEmergencyContact, contact(name="Dora", primary=True)).contact
    listed = ada.calls(door.records.ListEmergencyContacts, records.ListEmergencyContactsRequest()).contacts
    assert [(c.name, c.primary) for c in listed] == [("Dora", True), ("Bob", False)]
    change = records.UpdateEmergencyContactRequest(contact_id=first.id, email="dora@example.org", expected_version=first.version)
    changed = ada.calls(door.records.UpdateEmergencyContact, change).contact
    assert (changed.email, changed.version) == ("dora@example.org", first.version + 1)
    with refused("ABORTED"):
        ada.calls(door.records.UpdateEmergencyContact, change)
    mask = {"paths": ["email"]}
    request = records.UpdateEmergencyContactRequest(contact_id=first.id, name="Eve", update_mask=mask)
    changed = ada.calls(door.records.UpdateEmergencyContact, request).contact
    assert (changed.name, changed.HasField("email")) == ("Dora", False)
    with refused("NOT_FOUND"):
        bob.calls(door.records.DeleteEmergencyContact, records.DeleteEmergencyContactRequest(contact_id=first.id))
    ada.calls(door.records.DeleteEmergencyContact, records.DeleteEmergencyContactRequest(contact_id=first.id))
    for _ in range(9):
        ada.calls(door.records.CreateEmergencyContact, contact())
    with refused("RESOURCE_EXHAUSTED") as refusal:
        ada.calls(door.records.CreateEmergencyContact, contact())
    assert refusal.exhausted == {"user"}


def test_insurances(door, ada):
    wish = insurance(plan_type="INSURANCE_PLAN_TYPE_PRIVATE")
    made = ada.calls(door.records.CreateInsurance, wish).insurance
    assert made.status == records.INSURANCE_STATUS_UNVERIFIED
    assert ada.calls(door.records.CreateInsurance, wish).insurance == made
    with refused("ALREADY_EXISTS"):
        ada.calls(door.records.CreateInsurance, insurance(policy_number=wish.policy_number))
    with invalid("valid_until"):
        ada.calls(door.records.UpdateInsurance, records.UpdateInsuranceRequest(insurance_id=made.id, valid_until="2025-01-01"))
    change = records.UpdateInsuranceRequest(insurance_id=made.id, valid_until="2026-12-31", group_number="G-1")
    changed = ada.calls(door.records.UpdateInsurance, change).insurance
    assert (changed.valid_until, changed.group_number, changed.version) == ("2026-12-31", "G-1", 2)
    assert list(ada.calls(door.records.ListInsurances, records.ListInsurancesRequest()).insurances) == [changed]
    ada.calls(door.records.DeleteInsurance, records.DeleteInsuranceRequest(insurance_id=made.id))
    assert not ada.calls(door.records.ListInsurances, records.ListInsurancesRequest()).insurances


def test_an_insurance_says_what_is_paid_and_by_whom(door, ada):
    told = {"phone": "+4930987654", "copay_amount": "25", "deductible_amount": "500.5", "currency": "EUR", "holder": "INSURANCE_HOLDER_SPOUSE"}
    wish = insurance(**told)
    made = ada.calls(door.records.CreateInsurance, wish).insurance
    assert (made.copay_amount, made.deductible_amount, made.currency) == ("25.00", "500.50", "EUR")
    assert (made.phone, made.holder) == ("+4930987654", records.INSURANCE_HOLDER_SPOUSE) and not made.HasField("verified_at")
    assert ada.calls(door.records.CreateInsurance, wish).insurance == made
    assert list(ada.calls(door.records.ListInsurances, records.ListInsurancesRequest()).insurances) == [made]
    change = records.UpdateInsuranceRequest(insurance_id=made.id, copay_amount="", phone="", deductible_amount="0", holder="INSURANCE_HOLDER_ONESELF")
    changed = ada.calls(door.records.UpdateInsurance, change).insurance
    assert not changed.HasField("copay_amount") and not changed.HasField("phone")
    assert (changed.deductible_amount, changed.holder) == ("0.00", records.INSURANCE_HOLDER_ONESELF)
    plain = ada.calls(door.records.CreateInsurance, insurance()).insurance
    assert (plain.currency, plain.holder) == ("USD", records.INSURANCE_HOLDER_ONESELF) and not plain.HasField("copay_amount")
    for amount in ("", "-1", "1.234", "1e3", "100000000", "01", ".5", "1.", "1,50", "NaN"):
        with invalid("copay_amount"):
            ada.calls(door.records.CreateInsurance, insurance(copay_amount=amount))
    with invalid("phone", "deductible_amount", "currency"):
        ada.calls(door.records.CreateInsurance, insurance(phone="911", deductible_amount="x", currency="usd"))


def test_a_device_is_whoever_registered_it_last_and_its_token_is_not_told(door, ada, bob):
    token = secret_token()
    wish = records.RegisterPushDeviceRequest(platform="PUSH_PLATFORM_IOS", push_token=token, device_name="phone")
    first = ada.calls(door.records.RegisterPushDevice, wish).device
    assert ada.calls(door.records.RegisterPushDevice, wish).device.id == first.id
    assert token not in str(first)
    second = bob.calls(door.records.RegisterPushDevice, wish).device
    assert not ada.calls(door.records.ListPushDevices, records.ListPushDevicesRequest()).devices
    assert [d.id for d in bob.calls(door.records.ListPushDevices, records.ListPushDevicesRequest()).devices] == [second.id]
    bob.calls(door.records.RemovePushDevice, records.RemovePushDeviceRequest(device_id=second.id))
    with refused("NOT_FOUND"):
        bob.calls(door.records.RemovePushDevice, records.RemovePushDeviceRequest(device_id=second.id))


def test_settings(door, ada, bob):
    value = Value()
    value.struct_value.update({"a": [1.5, True, None, "Grüße"], "b": {}})
    wish = records.SetPreferenceRequest(category="app", key="theme", value=value, expected_version=0)
    made = ada.calls(door.records.SetPreference, wish).preference
    assert made.version == 1 and MessageToDict(made.value) == MessageToDict(value)
    assert ada.calls(door.records.SetPreference, wish).preference == made
    wish.value.string_value = "dark"
    with refused("ABORTED"):
        ada.calls(door.records.SetPreference, wish)
    got = ada.calls(door.records.GetPreference, records.GetPreferenceRequest(category="app", key="theme")).preference
    assert got == made
    assert list(ada.calls(door.records.ListPreferences, records.ListPreferencesRequest()).preferences) == [made]
    assert not bob.calls(door.records.ListPreferences, records.ListPreferencesRequest()).preferences
    ada.calls(door.records.DeletePreference, records.DeletePreferenceRequest(category="app", key="theme"))
    with refused("NOT_FOUND"):
        ada.calls(door.records.GetPreference, records.GetPreferenceRequest(category="app", key="theme"))


def test_what_makes_no_sense_is_refused(door, ada):
    with invalid("id", "name", "relationship", "phone"):
        ada.calls(door.records.CreateEmergencyContact, records.CreateEmergencyContactRequest())
    with invalid("id", "insurer", "policy_number", "holder_name", "valid_from"):
        ada.calls(door.records.CreateInsurance, records.CreateInsuranceRequest())
    with invalid("platform", "push_token"):
        ada.calls(door.records.RegisterPushDevice, records.RegisterPushDeviceRequest())
    with invalid("category", "key", "value"):
        ada.calls(door.records.SetPreference, records.SetPreferenceRequest(category="App", key="a b"))


def test_at_the_json_door(json_door, front, ada):
    body = MessageToDict(contact())
    made = json_door.answers(records.CreateEmergencyContactResponse, "POST", "/v1/emergencyContacts", person=ada, json=body).contact
    path = f"/v1/emergencyContacts/{made.id}"
    changed = json_door.answers(records.UpdateEmergencyContactResponse, "PATCH", path, person=ada, json={"notify": False}).contact
    listed = json_door.answers(records.ListEmergencyContactsResponse, "GET", "/v1/emergencyContacts", person=ada)
    assert list(listed.contacts) == [changed] and not changed.notify
    json_door.answers(records.DeleteEmergencyContactResponse, "DELETE", path, person=ada)

    body = MessageToDict(insurance())
    made = json_door.answers(records.CreateInsuranceResponse, "POST", "/v1/insurances", person=ada, json=body).insurance
    path = f"/v1/insurances/{made.id}"
    json_door.answers(records.UpdateInsuranceResponse, "PATCH", path, person=ada, json={"planName": "Gold"})
    assert json_door.answers(records.ListInsurancesResponse, "GET", "/v1/insurances", person=ada).insurances[0].plan_name == "Gold"
    json_door.answers(records.DeleteInsuranceResponse, "DELETE", path, person=ada)

    body = {"platform": "PUSH_PLATFORM_WEB", "pushToken": secret_token()}
    device = json_door.answers(records.RegisterPushDeviceResponse, "POST", "/v1/pushDevices", person=ada, json=body).device
    assert list(json_door.answers(records.ListPushDevicesResponse, "GET", "/v1/pushDevices", person=ada).devices) == [device]
    json_door.answers(records.RemovePushDeviceResponse, "DELETE", f"/v1/pushDevices/{device.id}", person=ada)

    path = "/v1/preferences/app/theme"
    value = {"dark": True, "sizes": [1, 2.5, None]}
    made = json_door.answers(records.SetPreferenceResponse, "PUT", path, person=ada, json={"value": value}).preference
    assert MessageToDict(made.value) == value
    assert json_door.answers(records.GetPreferenceResponse, "GET", path, person=ada).preference == made
    listed = json_door.answers(records.ListPreferencesResponse, "GET", "/v1/preferences", person=ada, params={"category": "app"})
    assert list(listed.preferences) == [made]
    json_door.answers(records.DeletePreferenceResponse, "DELETE", path, person=ada)
    json_door.refuses(404, "NOT_FOUND", "GET", path, person=ada)
