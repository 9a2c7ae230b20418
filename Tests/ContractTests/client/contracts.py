"""Makes Python modules of proto/ at the start of a test run, so that the tests speak what stands there now."""

import pathlib
import sys
import tempfile

import google.api
import grpc_tools
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).parents[3] / "proto"

_folder = tempfile.TemporaryDirectory(prefix="heartguard-contracts-")


def generate() -> None:
    """Compiles every contract of ours into a folder that goes with this process, and makes it importable."""
    if _folder.name in sys.path:
        return
    google_api = pathlib.Path(list(google.api.__path__)[0]).parents[1]
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    ours = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("heartguard/**/*.proto"))
    includes = [f"-I{folder}" for folder in (PROTO, google_api, well_known)]
    outputs = [f"--python_out={_folder.name}", f"--grpc_python_out={_folder.name}"]
    if protoc.main(["protoc", *includes, *outputs, *ours]) != 0:
        raise SystemExit("protoc could not read proto/; it said why above.")
    sys.path.insert(0, _folder.name)
