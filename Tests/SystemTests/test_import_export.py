"""`heartguard vectors import` and `export`: files in each format, files that are wrong, and kill -9 in the middle."""

import json
import math
import os
import random
import secrets
import struct
import subprocess
import time

import grpc
import pytest
from client.refusals import invalid, refused
from google.protobuf import timestamp_pb2
from heartguard.vectors.v1 import filter_pb2, transfer_service_pb2, transfer_service_pb2_grpc, vectors_pb2
from heartguard.vectors.v1 import vectors_service_pb2 as service
from processes import kill, pid_of
from waiting import until

MODEL = "test-model"
MINUTES = 180.0


@pytest.fixture
def make(direct, operator):
    """Makes an empty collection and answers its name."""

    def collection(dimension: int = 4, metric=vectors_pb2.METRIC_COSINE) -> str:
        name = f"transfer_{secrets.token_hex(6)}"
        request = service.CreateCollectionRequest(name=name, model_id=MODEL, dimension=dimension, metric=metric)
        operator.calls(direct.vectors.CreateCollection, request)
        return name

    return collection


@pytest.fixture
def command(cluster):
    """The command line that a person types."""
    program = os.readlink(f"/proc/{cluster.read()['supervisor']}/exe")
    return lambda *arguments: [program, "vectors", *map(str, arguments), "--state-dir", str(cluster.state)]


@pytest.fixture
def heartguard(command):
    def run(*arguments, succeeds: bool = True) -> str:
        done = subprocess.run(command(*arguments), capture_output=True, text=True, timeout=MINUTES)
        assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
        return done.stdout if succeeds else done.stderr

    return run


def described(direct, operator, name):
    listed = operator.calls(direct.vectors.ListCollections, service.ListCollectionsRequest()).collections
    return next(collection for collection in listed if collection.name == name)


def count(direct, operator, name) -> int:
    return described(direct, operator, name).document_count


def rows(number: int, dimension: int = 4, seed: int = 1) -> list[list[float]]:
    chance = random.Random(seed)
    single = struct.Struct("<f")
    return [[single.unpack(single.pack(chance.uniform(-1, 1)))[0] for _ in range(dimension)] for _ in range(number)]


def fvecs(vectors) -> bytes:
    return b"".join(struct.pack(f"<i{len(vector)}f", len(vector), *vector) for vector in vectors)


def npy(vectors, *, type="<f4", order="False", shape=None, version=1) -> bytes:
    """As numpy.save writes it (NEP 1)."""
    shape = shape or f"({len(vectors)}, {len(vectors[0])})"
    header = f"{{'descr': '{type}', 'fortran_order': {order}, 'shape': {shape}, }}"
    size = 2 if version == 1 else 4
    header += " " * (-(8 + size + len(header) + 1) % 64) + "\n"
    start = b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(size, "little")
    return start + header.encode() + b"".join(struct.pack(f"<{len(vector)}f", *vector) for vector in vectors)


def line(number: int, vector=None) -> dict:
    """A document with metadata of every type."""
    document = {"id": f"é {number:05}", "content": f"what {number} says\n\"quoted\" / 心"}
    if number % 2:
        document["metadata"] = {
            "source": "go",
            "year": 2020.5 + number,
            "reviewed": number % 3 == 0,
            "seen": {"time": f"2026-01-01T00:00:{number % 60:02}.000001Z"},
        }
    return document | ({} if vector is None else {"embedding": vector})


def jsonl(documents) -> str:
    return "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)


def test_json_lines_come_back_as_they_went_in(heartguard, make, direct, operator, tmp_path):
    vectors = rows(1234)
    documents = [line(number, vector) for number, vector in enumerate(vectors)]
    given = tmp_path / "given.jsonl"
    # empty lines and those of other systems are none of the documents'
    given.write_text("\n" + jsonl(documents).replace("\n", "\r\n") + "\n  \n")
    name, other = make(), make()

    said = heartguard("import", given, "--collection", name)
    assert "1234 documents" in said and "1234 new, 0 replaced" in said
    assert not (tmp_path / "given.jsonl.import").exists()
    assert count(direct, operator, name) == 1234
    assert "1234 replaced" in heartguard("import", given, "--collection", name)

    heartguard("export", tmp_path / "out.jsonl", "--collection", name)
    read = [json.loads(text) for text in (tmp_path / "out.jsonl").read_text().splitlines()]
    for document in read:
        # as few digits as tell one float32 from the next
        document["embedding"] = list(struct.unpack("<4f", struct.pack("<4f", *document["embedding"])))
    assert sorted(read, key=lambda document: document["id"]) == documents
    heartguard("import", tmp_path / "out.jsonl", "--collection", other)
    heartguard("export", tmp_path / "again.jsonl", "--collection", other)
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()
    # what came by a file is what came by a call
    by_filter = filter_pb2.KeyEquals(key="seen", value=filter_pb2.MetadataValue(time=timestamp_pb2.Timestamp(seconds=1767225601, nanos=1000)))
    request = service.SearchRequest(
        collection=other,
        model_id=MODEL,
        embedding=vectors[1],
        limit=1000,
        min_position=described(direct, operator, other).position,
        where=filter_pb2.Filter(equals=by_filter),
    )
    found = operator.calls(direct.vectors.Search, request).matches
    assert {match.id for match in found} == {document["id"] for document in documents[1::60]}
    refusal = heartguard("export", tmp_path / "out.jsonl", "--collection", name, succeeds=False)
    assert "--force" in refusal
    # what another model makes embeddings of
    heartguard("export", tmp_path / "texts.jsonl", "--collection", name, "--without-embeddings")
    texts = [json.loads(text) for text in (tmp_path / "texts.jsonl").read_text().splitlines()]
    assert texts == [{key: value for key, value in document.items() if key != "embedding"} for document in read]
    refusal = heartguard("export", tmp_path / "texts.npy", "--collection", name, "--without-embeddings", succeeds=False)
    assert ".jsonl" in refusal


@pytest.mark.parametrize("format", ["fvecs", "npy"])
def test_vectors_come_back_bit_for_bit_with_what_stands_beside_them(format, heartguard, make, tmp_path):
    # sums of squares near the ends of what a Float holds, a zero with a sign, and the smallest there is
    vectors = [*rows(700), [1e-30, -0.0, 1e-45, 2.5], [3e18, -1.0, 0.1, 1 / 3]]
    vectors = [list(struct.unpack("<4f", struct.pack("<4f", *vector))) for vector in vectors]
    written = {"fvecs": fvecs, "npy": npy}[format](vectors)
    given, beside = tmp_path / f"given.{format}", tmp_path / "beside.jsonl"
    given.write_bytes(written)
    beside.write_text(jsonl(line(number) for number in range(len(vectors))) + "\n")
    name, other = make(), make()

    heartguard("import", given, "--documents", beside, "--collection", name)
    out, out_beside = tmp_path / f"out.{format}", tmp_path / "out.jsonl"
    heartguard("export", out, "--collection", name)

    read = [json.loads(text) for text in out_beside.read_text().splitlines()]
    order = sorted(range(len(read)), key=lambda place: read[place]["id"])
    assert [read[place] for place in order] == [line(number) for number in range(len(vectors))]
    start = {"fvecs": 0, "npy": 128}[format]
    size = {"fvecs": 20, "npy": 16}[format]
    packed = [out.read_bytes()[start + size * place :][: size] for place in order]
    assert [piece[size - 16 :] for piece in packed] == [struct.pack("<4f", *vector) for vector in vectors]
    heartguard("import", out, "--documents", out_beside, "--collection", other)
    heartguard("export", tmp_path / f"again.{format}", "--collection", other)
    assert (tmp_path / f"again.{format}").read_bytes() == out.read_bytes()
    assert (tmp_path / "again.jsonl").read_bytes() == out_beside.read_bytes()


def test_ids_are_made_where_there_are_none(heartguard, make, tmp_path):
    (tmp_path / "given.npy").write_bytes(npy(rows(3), version=2))
    name = make()
    heartguard("import", tmp_path / "given.npy", "--collection", name)
    heartguard("import", tmp_path / "given.npy", "--collection", name, "--id-prefix", "x")
    heartguard("export", tmp_path / "out.jsonl", "--collection", name)
    ids = {json.loads(text)["id"] for text in (tmp_path / "out.jsonl").read_text().splitlines()}
    assert ids == {f"{prefix}{number}" for prefix in ("given-", "x") for number in range(3)}


GOOD = rows(600)
WRONG = {
    "an fvecs file that ends within a row": ("a.fvecs", fvecs(GOOD)[:-3], None, ["row 600", "cut short"]),
    "an fvecs file that ends within a head": ("a.fvecs", fvecs(GOOD) + b"\0", None, ["row 601", "cut short"]),
    "an fvecs file of another dimension": ("a.fvecs", fvecs(rows(3, 5)), None, ["row 1", "5 components", "have 4"]),
    "an fvecs file with one row of another": ("a.fvecs", fvecs([*GOOD, [1.0] * 3]), None, ["row 601", "3 components"]),
    "an fvecs file with NaN": ("a.fvecs", fvecs([*GOOD, [1, math.nan, 1, 1]]), None, ["row 601", "embedding", "Component 1"]),
    "an fvecs file with infinity": ("a.fvecs", fvecs([[1, 1, 1, math.inf]]), None, ["row 1", "embedding", "Component 3"]),
    "an fvecs file with no direction": ("a.fvecs", fvecs([*GOOD[:9], [0.0] * 4]), None, ["row 10", "embedding", "length zero"]),
    "what is no npy file": ("a.npy", fvecs(GOOD), None, ["a.npy: it is no .npy file"]),
    "an empty npy file": ("a.npy", b"", None, ["no .npy file"]),
    "an npy file that ends within its header": ("a.npy", npy(GOOD)[:40], None, ["cut short", "header"]),
    "an npy file that is cut short": ("a.npy", npy(GOOD)[:-4], None, ["600 rows of 4", "cut short"]),
    "an npy file with more than it says": ("a.npy", npy(GOOD) + b"1234", None, ["600 rows of 4"]),
    "an npy file of doubles": ("a.npy", npy(GOOD, type="<f8"), None, ["<f8", "float32"]),
    "an npy file of the other endianness": ("a.npy", npy(GOOD, type=">f4"), None, [">f4", "little-endian"]),
    "an npy file in Fortran's order": ("a.npy", npy(GOOD, order="True"), None, ["Fortran"]),
    "an npy file of one dimension": ("a.npy", npy(GOOD, shape="(2400,)"), None, ["shape", "two dimensions"]),
    "an npy file of another dimension": ("a.npy", npy(rows(3, 5)), None, ["5 components", "have 4"]),
    "an npy file with NaN": ("a.npy", npy([*GOOD, [math.nan] * 4]), None, ["row 601", "embedding", "Component 0"]),
    "a line that is no JSON": ("a.jsonl", jsonl([line(0, [1.0] * 4)]) + "{\n", None, ["line 2", "no JSON"]),
    "a line that is no object": ("a.jsonl", "[1]\n", None, ["line 1", "no JSON object"]),
    "a line without an id": ("a.jsonl", jsonl([{"embedding": [1.0] * 4}]), None, ["line 1", "id", "missing"]),
    "a line without an embedding": ("a.jsonl", "\n\n" + jsonl([line(0)]), None, ["line 3", "embedding", "missing"]),
    "a line with a field too many": ("a.jsonl", jsonl([line(0, [1.0] * 4) | {"text": "x"}]), None, ["line 1", "text"]),
    "a line with a text for a number": ("a.jsonl", jsonl([line(0, [1, 1, "x", 1])]), None, ["line 1", "embedding[2]"]),
    "a line with NaN": ("a.jsonl", jsonl([line(0, [math.nan] * 4)]), None, ["line 1", "no JSON"]),
    "a line of another dimension": ("a.jsonl", "\n" + jsonl([line(0, [1.0] * 3)]), None, ["line 2", "embedding", "3 components"]),
    "a line with a list as metadata": (
        "a.jsonl",
        jsonl([line(0, [1.0] * 4) | {"metadata": {"key": [1]}}]),
        None,
        ["line 1", "metadata.key"],
    ),
    "a line with an id too long": ("a.jsonl", jsonl([line(0, [1.0] * 4) | {"id": "x" * 257}]), None, ["line 1", "id", "256"]),
    "a line with content too long": (
        "a.jsonl",
        jsonl([line(n, [1.0] * 4) for n in range(7)] + [{"id": "x", "content": "x" * 40000, "embedding": [1.0] * 4}]),
        None,
        ["line 8", "content", "32 KiB"],
    ),
    "a line longer than any": ("a.jsonl", '{"id": "' + "x" * (1 << 20) + '"}\n', None, ["line 1", "longer than 1 MiB"]),
    "lines fewer than vectors": ("a.fvecs", fvecs(GOOD), jsonl(line(n) for n in range(599)), ["row 600", "fewer lines"]),
    "lines more than vectors": ("a.npy", npy(GOOD), jsonl(line(n) for n in range(601)), ["row 601", "fewer vectors"]),
    "a line beside that is wrong": ("a.npy", npy(GOOD[:3]), jsonl([line(0), {}, line(2)]), ["row 2", "id", "missing"]),
    "a line beside with an embedding": ("a.npy", npy(GOOD[:1]), jsonl([line(0, [1.0] * 4)]), ["row 1", "embedding"]),
    "a file that says nothing": ("a.bin", b"x", None, ["--format"]),
    "no file": ("a.fvecs", None, None, ["a.fvecs", "cannot be read"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_named(case, heartguard, make, direct, operator, tmp_path):
    file, content, beside, words = WRONG[case]
    if content is not None:
        (tmp_path / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    arguments = ["import", tmp_path / file, "--collection", make()]
    if beside is not None:
        (tmp_path / "beside.jsonl").write_text(beside)
        arguments += ["--documents", tmp_path / "beside.jsonl"]

    for trial in (["--dry-run"], []):
        refusal = heartguard(*arguments, *trial, succeeds=False)
        for word in words:
            assert word in refusal, refusal
        # what is wrong with a document tells no other
        assert "what 0 says" not in refusal
        if trial:
            assert count(direct, operator, arguments[3]) == 0
    # the messages before it are in, and its own is not
    assert count(direct, operator, arguments[3]) in (0, 500, 599, 600)


def test_a_trial_checks_everything_and_puts_nothing_in(heartguard, make, direct, operator, tmp_path):
    (tmp_path / "a.fvecs").write_bytes(fvecs(GOOD))
    name = make()
    assert "600 documents are in order" in heartguard("import", tmp_path / "a.fvecs", "--collection", name, "--dry-run")
    assert described(direct, operator, name).position == 0
    assert not (tmp_path / "a.fvecs.import").exists()
    refusal = heartguard("import", tmp_path / "a.fvecs", "--collection", "nowhere", succeeds=False)
    assert "nowhere" in refusal and name in refusal


LARGE = 4_000


@pytest.fixture
def large(tmp_path):
    """A file that takes a moment."""
    file = tmp_path / "large.fvecs"
    file.write_bytes(fvecs(rows(LARGE, 64)))
    return file


@pytest.fixture
def wide(make, direct, operator):
    """A collection for it, emptied at the end: a service that is killed later has to build the index of what is there."""
    name = make(64)
    yield name
    for start in range(0, LARGE, 1000):
        ids = [f"large-{number}" for number in range(start, start + 1000)]
        request = service.DeleteDocumentsRequest(collection=name, ids=ids)
        operator.calls(direct.vectors.DeleteDocuments, request, timeout=MINUTES)


def begun(command, large, name):
    """An import that has put something in and has more to do."""
    process = subprocess.Popen(
        command("import", large, "--collection", name), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    record = large.with_name(large.name + ".import")
    until(lambda: record.exists() and json.loads(record.read_text())["place"]["row"] > 0, "some documents are in")
    assert process.poll() is None, "the import was over too soon"
    return process, record


def exported(heartguard, name, file) -> list[bytes]:
    heartguard("export", file, "--collection", name)
    return vectors_of(file)


def vectors_of(file) -> list[bytes]:
    """The vectors by their made ids, which end with the row's number."""
    ids = [json.loads(text)["id"] for text in file.with_suffix(".jsonl").read_text().splitlines()]
    size = (len(file.read_bytes()) - 128) // len(ids)
    vectors = {int(id.rpartition("-")[2]): file.read_bytes()[128 + size * place :][:size] for place, id in enumerate(ids)}
    assert sorted(vectors) == list(range(len(ids)))
    return [vectors[number] for number in sorted(vectors)]


def packed(vectors) -> list[bytes]:
    return [struct.pack(f"<{len(vector)}f", *vector) for vector in vectors]


def peak_memory(process) -> int:
    """What the process has ever had in memory at once, in bytes, as far as it was seen."""
    peak = 0
    while process.poll() is None:
        with open(f"/proc/{process.pid}/status") as status:
            for text in status:
                if text.startswith("VmHWM:"):
                    peak = max(peak, int(text.split()[1]) << 10)
        time.sleep(0.02)
    return peak


def test_memory_does_not_grow_with_the_file(command, make, tmp_path):
    name = make(256)
    peaks = []
    for number in (2_000, 60_000):
        file = tmp_path / f"{number}.fvecs"
        row = fvecs(rows(1, 256))
        file.write_bytes(row * number)
        process = subprocess.Popen(
            command("import", file, "--collection", name, "--dry-run"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        peaks.append(peak_memory(process))
        assert process.returncode == 0
    # the second file is 60 MB larger
    assert peaks[1] - peaks[0] < 30 << 20, peaks


def stub(cluster, through: str):
    return transfer_service_pb2_grpc.TransferServiceStub(cluster.channel(through))


def requests(name, *batches, model=MODEL, **fields):
    return [
        transfer_service_pb2.ImportDocumentsRequest(collection=name, model_id=model, documents=batch, **fields) for batch in batches
    ]


def document(id: str, embedding=(1.0, 0, 0, 0)) -> vectors_pb2.Document:
    return vectors_pb2.Document(id=id, embedding=embedding)


@pytest.mark.parametrize("program", ["vectors", "gateway"])
def test_streams_are_for_operators(cluster, make, reader, operator, program):
    name = make()
    transfer = stub(cluster, program)
    export = transfer_service_pb2.ExportDocumentsRequest(collection=name)
    with refused("PERMISSION_DENIED"):
        list(transfer.ImportDocuments(iter(requests(name, [document("a")])), metadata=reader.metadata, timeout=30))
    with refused("PERMISSION_DENIED"):
        list(transfer.ExportDocuments(export, metadata=reader.metadata, timeout=30))
    with refused("UNAUTHENTICATED"):
        list(transfer.ExportDocuments(export, timeout=30))
    list(transfer.ImportDocuments(iter(requests(name, [document("a")])), metadata=operator.metadata, timeout=30))
    answers = transfer.ExportDocuments(export, metadata=operator.metadata, timeout=30)
    assert [kept.id for answer in answers for kept in answer.documents] == ["a"]
    with refused("NOT_FOUND"):
        missing = transfer_service_pb2.ExportDocumentsRequest(collection="nowhere")
        list(transfer.ExportDocuments(missing, metadata=operator.metadata, timeout=30))


def test_each_message_is_kept_or_not_as_a_whole(cluster, make, direct, operator):
    name = make()
    transfer = stub(cluster, "vectors")

    def send(*messages):
        answers = []
        try:
            for answer in transfer.ImportDocuments(iter(messages), metadata=operator.metadata, timeout=30):
                answers.append(answer.accepted_count)
        except grpc.RpcError:
            assert answers == [2] * len(answers)
            raise
        return answers

    first, bad = requests(name, [document("a"), document("b")], [document("c"), document("d", [1.0])])
    with invalid("documents[1].embedding"):
        send(first, bad)
    assert count(direct, operator, name) == 2
    more = transfer_service_pb2.ImportDocumentsRequest(documents=[document("a"), document("e")])
    assert send(first, more) == [2, 4]
    assert count(direct, operator, name) == 3
    with invalid("collection"):
        send(first, transfer_service_pb2.ImportDocumentsRequest(collection=make(), documents=[document("z")]))
    with invalid("validate_only"):
        send(first, *requests(name, [document("z")], validate_only=True))
    with invalid("documents"):
        send(*requests(name, []))
    with invalid("model_id") as refusal:
        send(*requests(name, [document("z")], model="another"))
    assert MODEL in refusal.message and "another" in refusal.message
    # what is a message, and is refused before anybody has read it
    with refused("INVALID_ARGUMENT"):
        send(*requests(name, [document("with a\0 in it")]))
    assert send(*requests(name, [document("z")], validate_only=True)) == [1]
    assert count(direct, operator, name) == 3


def test_an_import_that_is_killed_goes_on_from_there(heartguard, command, make, wide, direct, operator, large, tmp_path):
    name, other = wide, make(64)
    process, record = begun(command, large, name)
    process.kill()
    process.wait()
    done = json.loads(record.read_text())["place"]["row"]
    assert 0 < done <= count(direct, operator, name) < LARGE

    # the record is of this import and no other
    assert "--restart" in heartguard("import", large, "--collection", other, succeeds=False)
    changed = bytearray(large.read_bytes())
    changed[-1] ^= 1
    before = large.read_bytes()
    large.write_bytes(changed)
    assert "--restart" in heartguard("import", large, "--collection", name, succeeds=False)
    large.write_bytes(before)

    said = heartguard("import", large, "--collection", name)
    assert f"going on behind document {done}" in said
    assert f"imported {LARGE - done} documents" in said
    assert count(direct, operator, name) == LARGE
    assert exported(heartguard, name, tmp_path / "out.npy") == packed(rows(LARGE, 64))


def test_an_import_goes_on_over_a_kill_of_the_service(heartguard, command, cluster, wide, direct, operator, large, tmp_path):
    name = wide
    process, _ = begun(command, large, name)
    killed = kill(cluster, "vectors")
    said, progress = process.communicate(timeout=MINUTES)

    assert process.returncode == 0, progress
    assert f"imported {LARGE} documents" in said
    assert " a second" in progress and " %, about " in progress and "to go" in progress
    assert pid_of(cluster, "vectors") != killed
    assert count(direct, operator, name) == LARGE
    assert exported(heartguard, name, tmp_path / "out.npy") == packed(rows(LARGE, 64))


def test_an_export_goes_on_over_a_kill_of_the_service(heartguard, command, cluster, wide, large, tmp_path):
    name = wide
    heartguard("import", large, "--collection", name)
    out = tmp_path / "out.npy"
    process = subprocess.Popen(command("export", out, "--collection", name), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    partial = tmp_path / "out.npy.partial"
    until(lambda: partial.exists() and partial.stat().st_size > 128, "it writes", every=0.005)
    assert process.poll() is None, "the export was over too soon"
    kill(cluster, "vectors")
    _, progress = process.communicate(timeout=MINUTES)
    assert process.returncode == 0, progress
    assert not partial.exists()
    assert vectors_of(out) == packed(rows(LARGE, 64))
