"""A certificate authority for one test run, and a certificate of its making."""

import pathlib
import subprocess

# the name that gRPC's own test certificate bears, which nothing resolves
NAME = "foo.test.google.fr"


class Certificates:
    def __init__(self, folder: pathlib.Path):
        self.authority, self.certificate, self.key = (str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem"))
        authority_key, request, extension = (str(folder / name) for name in ("ca-key.pem", "cert.csr", "san.ext"))
        pathlib.Path(extension).write_text(f"subjectAltName=DNS:{NAME}\nbasicConstraints=CA:FALSE\n")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-x509", *curve, "-keyout", authority_key, "-out", self.authority, "-days", "2", "-subj", "/CN=ca")
        openssl("req", *curve, "-keyout", self.key, "-out", request, "-subj", "/CN=interop")
        signer = ["-CA", self.authority, "-CAkey", authority_key, "-CAcreateserial"]
        openssl("x509", "-req", "-in", request, *signer, "-out", self.certificate, "-days", "2", "-extfile", extension)


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
