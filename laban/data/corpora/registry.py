"""The corpora that `laban data prepare` knows: a new one is a module of this folder and a line here."""

from __future__ import annotations

import importlib
from pathlib import Path

from laban.data.corpora.source import FilmSource, MotionSource
from laban.errors import InputError

CORPORA = {
    "bandai-namco": "laban.data.corpora.bandai_namco:BandaiNamco",
    "cmu": "laban.data.corpora.cmu:Cmu",
    "humanml3d": "laban.data.corpora.humanml3d:HumanML3D",
    "kit": "laban.data.corpora.humanml3d:Kit",
    "msrvtt": "laban.data.corpora.films:MsrVtt",
    "howto100m": "laban.data.corpora.films:HowTo100M",
    "renders": "laban.data.synthesis.renders:Renders",
    "folder": "laban.data.corpora.folder:Folder",
}


def open_source(corpus: str, src: Path) -> MotionSource | FilmSource:
    """The corpus of that name in `src`.

    Raises: InputError for an unknown name, or a place that does not exist or holds none of its files.
    """
    if corpus not in CORPORA:
        raise InputError(f"data prepare: unknown corpus {corpus!r}; expected one of {', '.join(CORPORA)}.")
    if not src.exists():
        raise InputError(f"data prepare: {src} does not exist. Give the folder or archive that holds {corpus}.")
    module, name = CORPORA[corpus].split(":")
    source: MotionSource | FilmSource = getattr(importlib.import_module(module), name)(src)
    return source
