"""The picture of a person."""

import base64
import hashlib
import struct
import zlib

from client.refusals import invalid, refused
from heartguard.users.v1 import avatars_service_pb2 as avatars


def png(width: int, height: int) -> bytes:
    """A picture of one colour, as any program reads it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_picture_is_kept_and_taken_out(door, ada, bob):
    content = png(64, 48)
    kept = ada.calls(door.avatars.UploadAvatar, avatars.UploadAvatarRequest(content=content)).avatar
    assert (kept.media_type, kept.width, kept.height) == ("image/png", 64, 48)
    assert kept.sha256 == hashlib.sha256(content).hexdigest()
    got = ada.calls(door.avatars.GetAvatar, avatars.GetAvatarRequest())
    assert (got.avatar, got.content) == (kept, content)
    with refused("NOT_FOUND"):
        bob.calls(door.avatars.GetAvatar, avatars.GetAvatarRequest())
    ada.calls(door.avatars.DeleteAvatar, avatars.DeleteAvatarRequest())
    with refused("NOT_FOUND"):
        ada.calls(door.avatars.DeleteAvatar, avatars.DeleteAvatarRequest())


def test_what_is_no_picture_is_refused(door, ada):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    for content in (b"", svg, b"\x89PNG\r\n\x1a\n", png(8, 8) + svg, png(2049, 1), png(8, 8)[:-12] + b"x" * 524_288 + png(8, 8)[-12:]):
        with invalid("content"):
            ada.calls(door.avatars.UploadAvatar, avatars.UploadAvatarRequest(content=content))
    with refused("NOT_FOUND"):
        ada.calls(door.avatars.GetAvatar, avatars.GetAvatarRequest())


def test_at_the_json_door(json_door, ada):
    content = png(10, 20)
    body = {"content": base64.b64encode(content).decode()}
    kept = json_door.answers(avatars.UploadAvatarResponse, "PUT", "/v1/profile/avatar", person=ada, json=body).avatar
    got = json_door.answers(avatars.GetAvatarResponse, "GET", "/v1/profile/avatar", person=ada)
    assert (got.avatar, got.content) == (kept, content)
    json_door.answers(avatars.DeleteAvatarResponse, "DELETE", "/v1/profile/avatar", person=ada)
    json_door.refuses(404, "NOT_FOUND", "GET", "/v1/profile/avatar", person=ada)
