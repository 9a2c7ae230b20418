#!/usr/bin/env python3
"""Writes golden.jsonl: for every message of proto/heartguard several values, as Python protobuf puts them on the wire and
in JSON. Somebody else's implementation, so that ours is tested against it and not against itself.

Usage, from the checkout: .heartguard/venv/bin/python Tests/ContractsTests/Golden/make_golden.py
The seed is fixed: the same contracts give the same file.
"""
import base64, json, pathlib, random, subprocess, sys, tempfile
import google.api
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as F

ROOT = pathlib.Path(__file__).resolve().parents[3]
OUT = pathlib.Path(__file__).with_name("golden.jsonl")
RANDOM = random.Random(20260221)
VALUES_PER_MESSAGE = 6
TEXTS = ["", "a", "Grüße", "心臓 ❤️", "quote \" back\\slash", "line\nbreak\ttab", "\u0001", "x" * 300]


def image_of(folders, files):
    """A pool with these files and what they import, as protoc reads them."""
    googleapis = pathlib.Path(list(google.api.__path__)[0]).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        image = pathlib.Path(folder) / "image.binpb"
        subprocess.run(["protoc", *[f"-I{path}" for path in [*folders, googleapis]], "--include_imports", "-o", image,
                        *files], check=True)
        image_set = descriptor_pb2.FileDescriptorSet.FromString(image.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in image_set.file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def load():
    files = sorted(str(path.relative_to(ROOT / "proto")) for path in (ROOT / "proto").rglob("*.proto"))
    return image_of([ROOT / "proto"], files), [name for name in files if name.startswith("heartguard/")]


def scalar(field):
    kind = field.type
    if kind in (F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32):
        return RANDOM.choice([0, 1, -1, 127, 128, 2**31 - 1, -(2**31)])
    if kind in (F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64):
        return RANDOM.choice([0, 1, -1, 300, 2**53 + 1, 2**63 - 1, -(2**63)])
    if kind in (F.TYPE_UINT32, F.TYPE_FIXED32):
        return RANDOM.choice([0, 1, 2**32 - 1])
    if kind in (F.TYPE_UINT64, F.TYPE_FIXED64):
        return RANDOM.choice([0, 1, 2**64 - 1])
    if kind == F.TYPE_DOUBLE:
        return RANDOM.choice([0.0, 1.5, -2.25, 1e300, 5e-324, 0.1])
    if kind == F.TYPE_FLOAT:
        return RANDOM.choice([0.0, 1.5, -2.25, 0.5, 1024.0])
    if kind == F.TYPE_BOOL:
        return RANDOM.random() < 0.5
    if kind == F.TYPE_STRING:
        return RANDOM.choice(TEXTS)
    if kind == F.TYPE_BYTES:
        return bytes(RANDOM.randrange(256) for _ in range(RANDOM.choice([0, 1, 5])))
    if kind == F.TYPE_ENUM:
        return RANDOM.choice([value.number for value in field.enum_type.values])
    raise ValueError(kind)


def is_repeated(field):
    repeated = getattr(field, "is_repeated", None)
    return repeated if repeated is not None else field.label == F.LABEL_REPEATED


def fill(message, depth, chance):
    name = message.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        message.seconds = RANDOM.choice([0, 1, 1771632000, -62135596800, 253402300799])
        message.nanos = RANDOM.choice([0, 1, 1000, 120000000, 999999999])
        return
    if name == "google.protobuf.Duration":
        message.seconds, message.nanos = RANDOM.choice([(0, 0), (3, 500000000), (-2, -1)])
        return
    if name == "google.protobuf.FieldMask":
        message.paths.extend(RANDOM.choice([[], ["name"], ["birth_date", "time_zone"], ["*"]]))
        return
    if name == "google.protobuf.Struct":
        message.update(RANDOM.choice([{}, {"one": 1.5}, {"list": [True, None, "x", {"deep": -1}]}]))
        return
    for field in message.DESCRIPTOR.fields:
        if RANDOM.random() > chance:
            continue
        if field.containing_oneof is not None and message.WhichOneof(field.containing_oneof.name):
            continue
        if is_repeated(field):
            count = RANDOM.choice([1, 2, 3])
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                # Each encoder may order a map as it likes; ours sorts by key, so keys are added sorted.
                values = field.message_type.fields_by_name["value"]
                for index in range(count):
                    if values.message_type is None:
                        getattr(message, field.name)[f"key{index}"] = scalar(values)
                    elif depth < 4:
                        fill(getattr(message, field.name)[f"key{index}"], depth + 1, chance)
            elif field.message_type is not None:
                if depth < 4:
                    for _ in range(count):
                        fill(getattr(message, field.name).add(), depth + 1, chance)
            else:
                getattr(message, field.name).extend(scalar(field) for _ in range(count))
        elif field.message_type is not None:
            if depth < 4:
                child = getattr(message, field.name)
                child.SetInParent()
                fill(child, depth + 1, chance)
        else:
            setattr(message, field.name, scalar(field))


def messages(descriptor):
    if descriptor.GetOptions().map_entry:
        return
    yield descriptor
    for nested in descriptor.nested_types:
        yield from messages(nested)


def main():
    pool, files = load()
    lines = []
    for file in sorted(files):
        for top in pool.FindFileByName(file).message_types_by_name.values():
            for descriptor in messages(top):
                for index in range(VALUES_PER_MESSAGE):
                    message = message_factory.GetMessageClass(descriptor)()
                    if index > 0:
                        fill(message, 0, 1.0 if index == 1 else 0.6)
                    lines.append(json.dumps({
                        "message": descriptor.full_name,
                        "bytes": base64.b64encode(message.SerializeToString(deterministic=True)).decode(),
                        "json": json_format.MessageToJson(message, indent=None, ensure_ascii=False, sort_keys=True),
                    }, ensure_ascii=False))
    OUT.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} values of {len(set(json.loads(line)['message'] for line in lines))} messages in {OUT.name}")


if __name__ == "__main__":
    sys.exit(main())
