"""The TLS of every program: 1.3 or 1.2, and HTTP/2 agreed on by ALPN."""

import contextlib
import socket
import ssl

import pytest
from client.cluster import EVERYWHERE
from client.people import PATIENCE


@contextlib.contextmanager
def connected(cluster, program: str, version: ssl.TLSVersion, protocol: str = "h2"):
    """A connection of exactly this version, by somebody who speaks no other protocol."""
    context = cluster.tls_context()
    # OpenSSL's own bound on what is old would end the handshake before the server had a say in it
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols([protocol])
    host, _, port = cluster.address(program).rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        with context.wrap_socket(connection, server_hostname=host) as tls:
            yield tls


@pytest.mark.parametrize("program", EVERYWHERE)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_both_versions_are_spoken(cluster, program, version):
    with connected(cluster, program, ssl.TLSVersion[version.replace(".", "_")]) as tls:
        assert tls.version() == version
        assert tls.selected_alpn_protocol() == "h2"
        # the server's SETTINGS, with which its side of HTTP/2 begins
        assert tls.recv(9)[3] == 4


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("program", EVERYWHERE)
def test_an_older_version_is_refused(cluster, program):
    with pytest.raises((ssl.SSLError, ConnectionError)), connected(cluster, program, ssl.TLSVersion.TLSv1_1):
        pass


@pytest.mark.parametrize("program", EVERYWHERE)
def test_who_does_not_agree_on_http2_is_told_nothing(cluster, program):
    told = b""
    # how a connection ends that the server closes right behind the handshake is a matter of timing
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        with connected(cluster, program, ssl.TLSVersion.TLSv1_3, "http/1.1") as tls:
            assert tls.selected_alpn_protocol() is None
            told = tls.recv(9)
    assert told == b""
