#!/usr/bin/env python3
"""Writes kitchen.jsonl: values of the kitchen-sink contract, which says everything that proto3 can say, as Python
protobuf puts them on the wire. Each line names a case; KitchenTests.swift builds the same value in Swift.

Usage, from the checkout: .heartguard/venv/bin/python Tests/ContractsTests/Golden/make_kitchen.py
"""
import base64, json, pathlib
from google.protobuf import json_format, message_factory
from make_golden import ROOT, image_of

OUT = pathlib.Path(__file__).with_name("kitchen.jsonl")
POOL = image_of([ROOT / "Tests/ContractsTests/Protos", ROOT / "proto"], ["kitchen/v1/kitchen.proto"])
K = message_factory.GetMessageClassesForFiles(["kitchen/v1/kitchen.proto"], POOL)
KINDS = ["double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
         "sfixed64", "bool", "string", "bytes"]
LOW = [-1.5, -2.25, -2**31, -2**63, 0, 0, -2**31, -2**63, 0, 0, -2**31, -2**63, False, "", b""]
HIGH = [1.7976931348623157e308, 3.4028234663852886e38, 2**31 - 1, 2**63 - 1, 2**32 - 1, 2**64 - 1, 2**31 - 1, 2**63 - 1,
        2**32 - 1, 2**64 - 1, 2**31 - 1, 2**63 - 1, True, "心臓 ❤️", b"\x00\xff\x00"]


def make(name, /, **fields):
    return K[f"kitchen.v1.{name}"](**fields)


def named(values):
    return {f"f_{kind}": value for kind, value in zip(KINDS, values)}


def lists():
    return {f"f_{kind}": [low, high] for kind, low, high in zip(KINDS, LOW, HIGH)}


def maps():
    yield "by_string", {"": "", "a": "b", "心": "臓"}
    yield "by_int32", {-2**31: -0.5, 0: 0.0, 7: 1e300}
    yield "by_int64", {-2**63: b"\x00", 5: b""}
    yield "by_uint32", {0: 0.0, 2**32 - 1: 1.5}
    yield "by_uint64", {0: False, 2**64 - 1: True}
    yield "by_bool", {False: 0, True: -18}
    yield "by_sint32", {-2**31: -2**63, 1: 1}
    yield "by_sint64", {-2**63: 2**64 - 1, 0: 0}
    yield "by_fixed32", {0: 0, 2**32 - 1: 2**64 - 1}
    yield "by_fixed64", {0: 0, 2**64 - 1: -2**31}
    yield "by_sfixed32", {-2**31: -2**63, 1: 0}
    yield "by_sfixed64", {-2**63: 2**32 - 1, 1: 0}


def cases():
    yield "scalars absent", make("Scalars")
    yield "scalars low", make("Scalars", **named(LOW), heat=-18)
    yield "scalars high", make("Scalars", **named(HIGH), heat=2)
    yield "scalars negative zero", make("Scalars", f_double=-0.0, f_float=-0.0)
    yield "scalars infinite", make("Scalars", f_double=float("inf"), f_float=float("-inf"))
    yield "scalars unknown number", make("Scalars", heat=4711)
    yield "optionals absent", make("Optionals")
    zeros = [type(value)() for value in HIGH]
    yield "optionals set to their default", make("Optionals", **named(zeros), heat=0, scalars=make("Scalars"))
    yield "optionals set", make("Optionals", **named(HIGH), heat=1, scalars=make("Scalars", f_int32=1))
    yield "lists", make("Lists", **lists(), heat=[0, 1, -18, 4711], scalars=[make("Scalars"), make("Scalars", f_int32=-1)],
                        unpacked_int32=[0, -1, 300], unpacked_float=[0.0, -0.0, 1.5], unpacked_heat=[2, 0, -18])
    for name, entries in maps():
        message = make("Maps")
        getattr(message, name).update(entries)
        yield f"map {name}", message
    message = make("Maps")
    message.messages["a"].f_int32 = 0
    message.messages["b"].f_string = "x"
    yield "map messages", message
    for name, value in [("number", 0.0), ("text", ""), ("data", b"\x00"), ("heat", 0), ("scalars", make("Scalars")),
                        ("inner", make("Choice", text="deep")), ("flag", False), ("at", {"seconds": 1})]:
        yield f"choice {name}", make("Choice", before="b", **{name: value}, after="a")
    yield "choice of two", make("Choice", flag=True, big=-1)
    yield "choice of none", make("Choice", before="b")
    leaf = K["kitchen.v1.Tree"].Leaf(owner=make("Tree", name="owner"), shape=1)
    yield "tree", make("Tree", name="root", child=make("Tree", name="c", child=make("Tree")),
                       children=[make("Tree", name="1"), make("Tree")], named={"n": make("Tree", name="2")}, leaf=leaf)
    message = make("WellKnown")
    # Without a Value: one that holds nothing is an error by its own definition, and null in JSON.
    for name in ["timestamp", "duration", "struct", "list", "any", "mask", "empty", "double_value", "float_value",
                 "int64_value", "uint64_value", "int32_value", "uint32_value", "bool_value", "string_value",
                 "bytes_value"]:
        getattr(message, name).SetInParent()
    yield "well-known and empty", message
    yield "well-known", well_known()
    words = {name: name for name in ["class", "int", "init", "description", "unknown_fields", "type", "hash_value",
                                     "protocol", "URL_path"]}
    yield "words", words_of(words)
    yield "nothing", make("Nothing")


def words_of(texts):
    message = make("Words")
    for name, text in texts.items():
        setattr(message, name, text)
    setattr(message, "default", 1)
    setattr(message, "self", True)
    getattr(message, "in").extend(["in", "out"])
    return message


def well_known():
    message = make("WellKnown")
    message.timestamp.FromJsonString("1969-12-31T23:59:59.5Z")
    message.duration.FromJsonString("-2.000000001s")
    message.struct.update({"deep": {"list": [None, True, 1.5, "x", []]}})
    message.value.number_value = -0.0
    message.list.extend([1, "two", None])
    inner = make("Scalars", f_int32=7)
    message.any.Pack(inner)
    message.mask.paths.extend(["a", "b.c_d"])
    message.double_value.value, message.float_value.value = 0.1, 0.5
    message.int64_value.value, message.uint64_value.value = -2**63, 2**64 - 1
    message.int32_value.value, message.uint32_value.value = -1, 2**32 - 1
    message.bool_value.value, message.string_value.value, message.bytes_value.value = True, "x", b"\x00\x01"
    message.timestamps.add(seconds=253402300799, nanos=999999999)
    message.timestamps.add()
    message.values["null"].null_value = 0
    return message


lines = [json.dumps({"name": name, "message": value.DESCRIPTOR.full_name,
                     "bytes": base64.b64encode(value.SerializeToString(deterministic=True)).decode(),
                     "json": json_format.MessageToJson(value, indent=None, ensure_ascii=False, sort_keys=True,
                                                       descriptor_pool=POOL)},
                    ensure_ascii=False) for name, value in cases()]
OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
print(f"{len(lines)} values in {OUT.name}")
