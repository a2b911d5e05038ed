"""`laban data fetch`: clone a public source at the commit this code was written against."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from laban.errors import InputError

# name -> [(repository, commit)]; the licences stand in docs/data.md.
SOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "bandai-namco": (
        ("https://github.com/BandaiNamcoResearchInc/Bandai-Namco-Research-Motiondataset", "74ead3ba1ae4"),
    ),
    "cmu": (
        ("https://github.com/AtelierCircle/CMU-MoCap-01-09", "9ee8be12cd5e"),
        ("https://github.com/AtelierCircle/CMU-MoCap-10-14", "7cdbc42e86b5"),
    ),
}


def fetch(name: str, dst: Path) -> Path:
    """Clone the sources of `name` into `dst/name` and return that folder; a finished clone is left alone.

    Raises: InputError for an unknown name, without git, or when the network fails (nothing half-cloned stays).
    """
    if name not in SOURCES:
        raise InputError(
            f"data fetch: {name!r} cannot be fetched; known: {', '.join(SOURCES)}. HumanML3D and KIT-ML are made or "
            "requested at their owners' pages."
        )
    if shutil.which("git") is None:
        raise InputError("data fetch: git is not installed. Install it, or download the folder by hand.")
    target = Path(dst) / name
    for url, commit in SOURCES[name]:
        place = target / url.rsplit("/", 1)[1]
        if (place / ".git").is_dir():
            continue
        temporary = place.with_name(place.name + ".partial")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            _git("clone", "--filter=blob:none", "--no-checkout", url, str(temporary))
            _git("-C", str(temporary), "checkout", "--quiet", commit)
        except subprocess.CalledProcessError as error:
            shutil.rmtree(temporary, ignore_errors=True)
            reason = (error.stderr or "").strip().splitlines()[-1:] or ["git failed"]
            raise InputError(f"data fetch: {url}: {reason[0]} Check the network, or download it by hand.") from None
        temporary.rename(place)
    return target


def _git(*arguments: str) -> None:
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    subprocess.run(["git", *arguments], check=True, capture_output=True, text=True, env=environment)
