"""Names that lead to collections, collections that are deleted, and what has changed since a position."""

import secrets

import pytest
from client.refusals import invalid, refused
from heartguard.vectors.v1 import aliases_service_pb2 as aliases
from heartguard.vectors.v1 import filter_pb2, transfer_service_pb2, vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as vectors

# by model, an embedding that lies in no other's space
EAST = {"two-d": (1, 0), "three-d": (1, 0, 0)}


def new_name() -> str:
    return f"contract_{secrets.token_hex(6)}"


def make(door, operator, model="two-d") -> str:
    name = new_name()
    request = vectors.CreateCollectionRequest(
        name=name, model_id=model, dimension=len(EAST[model]), metric=vectors_pb2.METRIC_COSINE
    )
    operator.calls(door.vectors.CreateCollection, request)
    return name


def upsert(door, operator, name, *ids, model="two-d"):
    documents = [vectors_pb2.Document(id=id, content=f"What {id} says", embedding=EAST[model], metadata={"k": id}) for id in ids]
    return operator.calls(
        door.vectors.UpsertDocuments, vectors.UpsertDocumentsRequest(collection=name, model_id=model, documents=documents)
    )


def delete(door, operator, name, *ids):
    return operator.calls(door.vectors.DeleteDocuments, vectors.DeleteDocumentsRequest(collection=name, ids=ids))


def search(door, person, name, model="two-d", position=0):
    request = vectors.SearchRequest(collection=name, model_id=model, embedding=EAST[model], min_position=position)
    return person.calls(door.vectors.Search, request)


def name_for(door, operator, collection, name=None) -> aliases.Alias:
    request = aliases.CreateAliasRequest(name=name or new_name(), collection=collection)
    return operator.calls(door.aliases.CreateAlias, request).alias


def point(door, operator, name, collection, **fields) -> aliases.Alias:
    request = aliases.UpdateAliasRequest(name=name, collection=collection, **fields)
    return operator.calls(door.aliases.UpdateAlias, request).alias


def remove(door, operator, name):
    return operator.calls(door.vectors.DeleteCollection, vectors.DeleteCollectionRequest(collection=name))


def test_an_alias_is_made_once_listed_and_deleted(door, operator, reader):
    collection = make(door, operator)
    request = aliases.CreateAliasRequest(name=new_name(), collection=collection)
    made, again = (operator.calls(door.aliases.CreateAlias, request) for _ in range(2))
    assert (made.created, again.created) == (True, False)
    assert made.alias == again.alias
    assert (made.alias.collection, made.alias.model_id, made.alias.previous_collection) == (collection, "two-d", "")
    listed = reader.calls(door.aliases.ListAliases, aliases.ListAliasesRequest()).aliases
    assert [alias.name for alias in listed] == sorted(alias.name for alias in listed)
    assert made.alias in listed

    operator.calls(door.aliases.DeleteAlias, aliases.DeleteAliasRequest(name=request.name))
    with refused("NOT_FOUND"):
        operator.calls(door.aliases.DeleteAlias, aliases.DeleteAliasRequest(name=request.name))
    with refused("NOT_FOUND"):
        search(door, reader, request.name)


def test_every_call_that_takes_a_collection_takes_an_alias(door, operator, reader):
    collection = make(door, operator)
    name = name_for(door, operator, collection).name
    written = upsert(door, operator, name, "a", "b")
    found = search(door, reader, name, position=written.position)
    deleted = delete(door, operator, name, "b")
    answers = list(
        door.transfer.ImportDocuments(
            iter(
                [
                    transfer_service_pb2.ImportDocumentsRequest(
                        collection=name, model_id="two-d", documents=[vectors_pb2.Document(id="c", embedding=EAST["two-d"])]
                    )
                ]
            ),
            metadata=operator.metadata,
            timeout=30,
        )
    )
    assert {answer.collection for answer in (written, found, deleted, *answers)} == {collection}
    exported = export(door, operator, name)
    assert exported[0].collection.name == collection
    assert [document.id for message in exported for document in message.documents] == ["a", "c"]


def test_an_alias_leads_elsewhere_at_one_moment(door, operator, reader):
    first, second = make(door, operator), make(door, operator, "three-d")
    name = name_for(door, operator, first).name
    position = upsert(door, operator, name, "old").position
    upsert(door, operator, second, "new", model="three-d")

    alias = point(door, operator, name, second)

    assert (alias.collection, alias.model_id) == (second, "three-d")
    assert (alias.previous_collection, alias.previous_model_id) == (first, "two-d")
    assert alias.position > position
    after = search(door, reader, name, "three-d", position=alias.position)
    assert ([match.id for match in after.matches], after.collection) == (["new"], second)
    # who has not heard of the new model is answered as before
    late = search(door, reader, name)
    assert ([match.id for match in late.matches], late.collection) == (["old"], first)
    with invalid("model_id") as refusal:
        upsert(door, operator, name, "a")
    assert "two-d" in refusal.message and "three-d" in refusal.message
    with invalid("model_id"):
        search(door, reader, name, position=alias.position)


def test_a_swap_can_ask_that_all_was_copied(door, operator):
    first, second = make(door, operator), make(door, operator)
    name = name_for(door, operator, first).name
    position = upsert(door, operator, name, "a").position
    upsert(door, operator, name, "b")
    with refused("FAILED_PRECONDITION") as refusal:
        point(door, operator, name, second, copied_position=position)
    assert str(position + 1) in refusal.message
    assert point(door, operator, name, second, copied_position=position + 1).collection == second
    with invalid("copied_position"):
        point(door, operator, name, first, copied_position=-1)


def test_an_alias_and_a_collection_do_not_have_one_name(door, operator):
    collection, other = make(door, operator), make(door, operator)
    name = name_for(door, operator, collection).name
    with refused("ALREADY_EXISTS"):
        name_for(door, operator, collection, name=other)
    with refused("ALREADY_EXISTS") as refusal:
        name_for(door, operator, other, name=name)
    assert collection in refusal.message
    with refused("ALREADY_EXISTS"):
        request = vectors.CreateCollectionRequest(name=name, model_id="two-d", dimension=2, metric=vectors_pb2.METRIC_COSINE)
        operator.calls(door.vectors.CreateCollection, request)
    with refused("NOT_FOUND"):
        name_for(door, operator, name)
    with invalid("name", "collection"):
        name_for(door, operator, "No Name", name="Nor This")


def test_a_collection_is_deleted_once_no_alias_leads_to_it(door, operator, reader):
    first, second = make(door, operator), make(door, operator)
    name = name_for(door, operator, first).name
    upsert(door, operator, first, "a", "b")
    for refused_name in (first, name):
        with refused("FAILED_PRECONDITION") as refusal:
            remove(door, operator, refused_name)
        assert name in refusal.message
    point(door, operator, name, second)

    assert remove(door, operator, first).deleted_count == 2
    with refused("NOT_FOUND"):
        remove(door, operator, first)
    with refused("NOT_FOUND"):
        search(door, reader, first)
    assert search(door, reader, name).collection == second
    with refused("FAILED_PRECONDITION"):
        remove(door, operator, "medical_knowledge")


def test_only_operators_change_aliases(door, reader):
    for method, request in (
        (door.aliases.CreateAlias, aliases.CreateAliasRequest()),
        (door.aliases.UpdateAlias, aliases.UpdateAliasRequest()),
        (door.aliases.DeleteAlias, aliases.DeleteAliasRequest()),
        (door.vectors.DeleteCollection, vectors.DeleteCollectionRequest()),
    ):
        with refused("PERMISSION_DENIED"):
            reader.calls(method, request)


def test_in_json(json_door, front, operator, reader):
    first, second, name = make(front, operator), make(front, operator), new_name()
    body = {"name": name, "collection": first}
    made = json_door.answers(aliases.CreateAliasResponse, "POST", "/v1/aliases", person=operator, json=body)
    assert made.created
    told = json_door.answers(
        aliases.UpdateAliasResponse, "PATCH", f"/v1/aliases/{name}", person=operator, json={"collection": second}
    )
    assert told.alias.collection == second
    listed = json_door.answers(aliases.ListAliasesResponse, "GET", "/v1/aliases", person=reader)
    assert name in [alias.name for alias in listed.aliases]
    json_door.answers(vectors.DeleteCollectionResponse, "DELETE", f"/v1/collections/{first}", person=operator)
    json_door.answers(aliases.DeleteAliasResponse, "DELETE", f"/v1/aliases/{name}", person=operator)


def export(door, operator, name, **fields):
    request = transfer_service_pb2.ExportDocumentsRequest(collection=name, **fields)
    return list(door.transfer.ExportDocuments(request, metadata=operator.metadata, timeout=30))


def test_changes_behind_a_position_are_exported_in_their_order(door, operator):
    name = make(door, operator)
    upsert(door, operator, name, *(f"{number:03}" for number in range(150)))
    position = delete(door, operator, name, "007").position
    upsert(door, operator, name, "zebra")
    last = upsert(door, operator, name, "001").position

    everything = export(door, operator, name, changed_after=0, without_embeddings=True)
    documents = [document for message in everything for document in message.documents]
    assert everything[0].collection.position == last
    assert len(documents) == 150
    assert [document.id for document in documents[-2:]] == ["zebra", "001"]
    assert all(document.content and not document.embedding for document in documents)
    assert [id for message in everything for id in message.deleted_ids] == ["007"]
    positions = [message.position for message in everything[1:]]
    assert positions == sorted(positions) and positions[-1] == last

    # from where a stream said that it had come to
    for start in {0, *positions}:
        rest = export(door, operator, name, changed_after=start)
        ids = {document.id for message in rest for document in message.documents}
        assert {"zebra", "001"} <= ids if start < last - 1 else ids <= {"001", "zebra"}
    newer = export(door, operator, name, changed_after=position)
    assert [document.id for message in newer for document in message.documents] == ["zebra", "001"]
    assert list(newer[1].documents[0].embedding) == list(EAST["two-d"])
    assert [message.position for message in export(door, operator, name, changed_after=last)[1:]] == [last]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"changed_after": -1}, ["changed_after"]),
        ({"changed_after": 0, "after_id": "a"}, ["after_id"]),
        ({"changed_after": 0, "where": filter_pb2.Filter(exists=filter_pb2.KeyExists(key="k"))}, ["where"]),
    ],
)
def test_what_goes_not_together_in_an_export_is_named(door, operator, fields, wrong):
    with invalid(*wrong):
        export(door, operator, make(door, operator), **fields)
