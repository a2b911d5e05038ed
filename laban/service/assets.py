"""Uploads: songs, characters, clips and texts, kept once under their SHA-256; their content tells what they are."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from laban.service.jobs import Jobs
from laban.service.problems import Problem

HEAD = 4096  # bytes by which a file is known

TYPES = {
    ".glb": "model/gltf-binary",
    ".gltf": "model/gltf+json",
    ".vrm": "model/gltf-binary",
    ".vrma": "model/gltf-binary",
    ".bvh": "text/plain; charset=utf-8",
    ".npz": "application/zip",
    ".usda": "text/plain; charset=utf-8",
    ".fbx": "application/octet-stream",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".wav": "audio/wav",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".gif": "image/gif",
    ".png": "image/png",
}
"""Suffix -> media type, of uploads and results."""

_STARTS = (
    (b"glTF", ".glb"), (b"OggS", ".ogg"), (b"fLaC", ".flac"), (b"ID3", ".mp3"), (b"\xff\xfb", ".mp3"),
    (b"\xff\xf3", ".mp3"), (b"\xff\xf2", ".mp3"), (b"GIF8", ".gif"), (b"\x89PNG\r\n\x1a\n", ".png"),
)  # fmt: skip


def media_type(name: str) -> str:
    """The media type of a file, by its suffix."""
    return TYPES.get(Path(name).suffix.lower(), "application/octet-stream")


def suffix_of(head: bytes, whole: Path) -> str:
    """The suffix that fits a file's content.

    Args:
        head: its first bytes.
        whole: the file.
    Raises: Problem (415) for what no action reads.
    """
    for start, suffix in _STARTS:
        if head.startswith(start):
            return suffix
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return ".wav"
    if head[4:8] == b"ftyp":
        return ".mp4"
    if head.startswith(b"PK\x03\x04") and b".npy" in head:
        return ".npz"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"HIERARCHY"):
        return ".bvh"
    try:
        whole.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        text = b""
    if text.startswith(b"{"):
        return ".gltf" if b'"asset"' in whole.read_bytes() else ".json"
    if text and b"\0" not in text:
        return ".txt"
    raise Problem("media-type", "the file is no song, character, clip, picture, film or text that an action reads.")


async def take(jobs: Jobs, owner: str, body: AsyncIterator[bytes]) -> tuple[dict[str, Any], bool]:
    """Keeps an upload.

    Args:
        jobs: the service.
        owner: whose it is.
        body: its bytes, which are not too many.
    Returns: what is known of it, and whether it is new to its owner.
    Raises: Problem for an empty or unknown file, or if there is no room.
    """
    folder = jobs.folder / "assets"
    room = jobs.settings.keep_gib * (1 << 30) - jobs.store.asset_bytes()
    part = folder / f".{secrets.token_hex(8)}.part"
    digest, size, head = hashlib.sha256(), 0, b""
    try:
        with part.open("wb") as file:
            async for chunk in body:
                size += len(chunk)
                if size > room:
                    raise Problem("storage", "uploads are beyond --keep-gib. Delete some that are not needed.")
                digest.update(chunk)
                head = head if len(head) >= HEAD else head + chunk[: HEAD - len(head)]
                file.write(chunk)
            file.flush()
            await asyncio.to_thread(os.fsync, file.fileno())
        if not size:
            raise Problem("input", "the upload is empty. Send the file's bytes as the body.")
        suffix = await asyncio.to_thread(suffix_of, head, part)
        name = digest.hexdigest()
        os.replace(part, folder / f"{name}{suffix}")
    finally:
        part.unlink(missing_ok=True)
    new = jobs.store.add_asset(owner, name, suffix, TYPES[suffix], size)
    found = jobs.store.asset(owner, name)
    assert found is not None
    return found, new


def drop(jobs: Jobs, owner: str, name: str) -> None:
    """Forgets an upload, and removes it if nobody else has the same. Raises: Problem if there is none."""
    found = jobs.store.asset(owner, name)
    if found is None:
        raise Problem("not-found", f"there is no upload {name!r}.")
    if jobs.store.drop_asset(owner, name):
        (jobs.folder / "assets" / f"{name}{found['suffix']}").unlink(missing_ok=True)
