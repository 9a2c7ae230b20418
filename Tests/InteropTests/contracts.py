"""Makes Python modules of grpc.testing at the start of a test run, from the contract that our programs are made of."""

import pathlib
import sys
import tempfile

from grpc_tools import protoc

PROTO = pathlib.Path(__file__).parents[2] / "Tools/Interop/proto/grpc/testing"

_folder = tempfile.TemporaryDirectory(prefix="heartguard-interop-")


def generate() -> None:
    """Python's gRPC owns the package grpc, so the files are compiled as if they lay in a folder of another name."""
    if _folder.name in sys.path:
        return
    sources = pathlib.Path(_folder.name) / "interop_proto"
    sources.mkdir()
    for file in PROTO.glob("*.proto"):
        (sources / file.name).write_text(file.read_text().replace('"grpc/testing/', '"interop_proto/'))
    names = sorted(f"interop_proto/{file.name}" for file in sources.iterdir())
    outputs = [f"--python_out={_folder.name}", f"--grpc_python_out={_folder.name}"]
    if protoc.main(["protoc", f"-I{_folder.name}", *outputs, *names]) != 0:
        raise SystemExit("protoc could not read the interop contract; it said why above.")
    sys.path.insert(0, _folder.name)
