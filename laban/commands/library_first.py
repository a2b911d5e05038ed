"""`laban generate --library FOLDER`: a clip of the user's own answers where it fits better than what is generated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.commands.inputs import open_space, refreshed
from laban.errors import InputError

if TYPE_CHECKING:
    from laban.motion.motion import Motion
    from laban.systems.capabilities import Embeds
    from laban.systems.motionclip.library import Library, Match


@dataclass
class LibraryFirst:
    """A library and the space that judges. Both the clip and the generated motion are scored by one encoder."""

    system: Embeds
    library: Library

    @classmethod
    def open(cls, folder: Path, device: str, quiet: bool, model: str = "motionclip") -> LibraryFirst:
        """Open the folder's index and bring it up to date. InputError if the folder holds nothing to use."""
        from laban.systems.motionclip.library import Library

        if not folder.is_dir():
            raise InputError(f"--library {folder}: there is no such folder.")
        system = open_space(model, device)
        library = Library.open(folder, system)
        refreshed(library, system, None, quiet)
        return cls(system, library)

    def answer(self, text: str, seconds: float | None, made: list[Motion]) -> list[Motion]:
        """Each generated motion, or the library clip of its rank where that fits the text better.

        Args:
            seconds: the length asked for; None: a clip keeps its own.
        Returns: as many motions; every passport says under "library" which clip was compared, and both scores.
        """
        from laban.systems.motionclip import space

        vector = self.system.text_directions([text])[0]
        found = self.library.search(vector.numpy(), len(made))
        out = []
        for rank, motion in enumerate(made):
            own = float(space.direction(self.system, motion) @ vector)
            if rank >= len(found):
                out.append(motion)
                continue
            clip = self._adapted(found[rank], seconds, motion.fps)
            score = float(space.direction(self.system, clip) @ vector)
            facts: dict[str, Any] = {
                "file": str(found[rank].path), "score": round(score, 4), "generated_score": round(own, 4),
                "moment": [round(found[rank].start, 3), round(found[rank].end, 3)], "taken": score > own,
                "weights": self.system.provenance.hash,
            }  # fmt: skip
            if score > own:
                passport = {
                    "system": "library", "request": {"text": text, "seconds": seconds}, "library": facts,
                    "licence": "that of the file", "clip": clip.passport,
                }  # fmt: skip
                out.append(replace(clip, passport=passport))
            else:
                out.append(replace(motion, passport={**(motion.passport or {}), "library": facts}))
        return out

    def _adapted(self, match: Match, seconds: float | None, fps: float) -> Motion:
        """The clip on our skeleton, its best stretch brought to the length asked for."""
        from laban import formats
        from laban.motion.motion import Segment
        from laban.motion.retarget import retarget
        from laban.systems.motionclip.space import fitted

        motion = retarget(formats.read(match.path)).resample(fps)
        if seconds is not None:
            motion = fitted(motion, seconds, match.start, min(match.end, motion.seconds))
        segments = motion.segments or (Segment(match.path.stem, 0.0, motion.seconds),)
        return replace(motion, segments=segments)
