"""Songs become dances: heard, danced to, bent onto their beats, scored and written."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from laban.actions.context import Context
from laban.actions.files import check_source
from laban.actions.inputs import motion_of
from laban.actions.options import bounded, check, described
from laban.actions.outputs import FPS, check_outputs, write
from laban.actions.wearing import Wearing
from laban.formats import SHOWN
from laban.systems.options import SEED, Bounds
from laban.systems.requests import MAX_DANCE_SECONDS

if TYPE_CHECKING:
    from laban.character.certificate import Certificate
    from laban.character.stance import Stance
    from laban.motion.motion import Motion
    from laban.systems.fact.song import DanceScores, Heard

BEATS_PER_SECOND = 60  # rows per second of analysed music, in which beats are counted


@dataclass(frozen=True)
class DanceOptions:
    """What is asked of `dance`."""

    song: Path = described(MISSING, "The song.")
    out: tuple[Path, ...] = described(
        (), "Files to write; the suffix says the format: .glb .bvh .npz .fbx .mp4 .gif .png .html."
    )
    seconds: float = bounded(
        30.0, Bounds(1, MAX_DANCE_SECONDS), "Length of the dance; to the end of the song if that comes first."
    )
    start: float = bounded(0.0, Bounds(0, 1e6), "Second of the song at which it begins.")
    seed_motion: Path | Motion | None = described(
        None,
        "A motion file; its last two seconds are what the dancer did just before. Any body whose joints can be "
        "recognised. A short shipped one if not given.",
    )
    seed: int = bounded(0, SEED, "Which of the dances.")
    bpm: float | None = bounded(
        None, Bounds(40, 240), "Tempo of the song, where the tracker takes its half, its double or something else."
    )
    lock_beats: bool = described(True, "Bend the dance's clock a little, so that its rests fall on beats.")
    block: int | None = bounded(
        None, Bounds(1, 20, whole=True), "Frames committed per pass of the model (k), 1 to 20; fewer are slower."
    )
    beats: bool = described(False, "Draw beats at the foot of films and pictures.")
    model: str = described("fact", "Shipped weights by name, or a folder with weights.")
    fps: float = bounded(60.0, FPS, "Frames per second of .glb, .bvh and .npz; films have 30.")
    raw: bool = described(False, "Leave out the clean-up of feet.")
    wearing: Wearing = Wearing()

    def films(self) -> dict[str, dict[str, Any]]:
        """Options of films and pictures by suffix: sound where the format has it, beats where they are asked for."""
        drawn = {"beats": True} if self.beats else {}
        return {".mp4": {"sound": (self.song, self.start), **drawn}, ".gif": drawn, ".png": drawn}

    def check(self) -> None:
        """Raises InputError for whatever cannot be, before any work is done."""
        check(self)
        if self.out:
            check_outputs(self.out, self.wearing.formats)
        if isinstance(self.seed_motion, Path):
            check_source(self.seed_motion)


@dataclass(frozen=True, eq=False)
class DanceResult:
    """A dance.

    Attributes:
        motion: at the model's rate; its passport says what was asked, and the beats and onsets of the music.
        heard: the part of the song that is danced to.
        as_made: beat alignment before the dance's clock was bent.
        locked: and after; None if it was not bent.
        certificate: how well a character wears it; None without one.
    """

    motion: Motion
    heard: Heard
    as_made: DanceScores
    locked: DanceScores | None = None
    certificate: Certificate | None = None


def dance(options: DanceOptions, context: Context) -> DanceResult:
    """Dance to a song.

    Args:
        options: which song, how it is danced to, and which files are written.
        context: models, progress, warnings; asked as the dance is made whether to stop.
    Raises: InputError for options that cannot be, or a song that cannot be danced to; FormatError for a file that is
        no sound; Cancelled.
    """
    options.check()
    stance = options.wearing.check(options.out)

    from laban.systems.capabilities import Dances
    from laban.systems.fact.song import listen, lock, score
    from laban.systems.registry import locate

    locate(options.model)  # a wrong name is said before torch is loaded
    clock = context.clock
    with clock.part("listen"):
        heard = listen(options.song, options.seconds, options.start, options.bpm)
    for note in heard.notes:
        context.warn(f"{note}.")
    before = None if options.seed_motion is None else motion_of(options.seed_motion, context)
    with clock.part(f"load {options.model}"):
        system = context.models.load(Dances, options.model, context.device)

    def progress(done: int) -> None:
        context.check()
        context.progress(done, heard.frames, "dance")

    block = {} if options.block is None else {"block": options.block}
    with clock.part("generate"):
        motion = system.dance(heard.request(before), options.seed, progress=progress, clean=not options.raw, **block)
    locked = None
    if options.lock_beats:
        with clock.part("lock beats"):
            motion, as_made, locked = lock(motion, heard.dance.beats)
    else:
        as_made = score(motion, heard.dance.beats)
    motion = replace(motion, passport={**(motion.passport or {}), **_facts(options, heard)})
    certificate = _write(motion, stance, options, context)
    return DanceResult(motion, heard, as_made, locked, certificate)


def _write(motion: Motion, stance: Stance | None, options: DanceOptions, context: Context) -> Certificate | None:
    """Writes films at their own rate and motions at the asked one; worn by a character, if there is one."""
    clock, films = context.clock, options.films()
    if stance is not None:
        with clock.part("retarget and write"):
            made = options.wearing.write(stance, motion.resample(options.fps), options.out, context, films)
        return made.certificate
    for path in options.out:
        with clock.part(f"write {path.suffix[1:]}"):
            suffix = path.suffix.lower()
            shown = motion if suffix in SHOWN else motion.resample(options.fps)
            write(shown, path, context, **films.get(suffix, {}))
    return None


def _facts(options: DanceOptions, heard: Heard) -> dict[str, Any]:
    """What the passport says of the song."""
    music = heard.dance
    return {
        "song": options.song.name,
        "start": options.start,
        "bpm": round(music.bpm, 2),
        "bpm_hint": options.bpm,
        "lock_beats": options.lock_beats,
        "timing": {
            "beats": [round(float(b) / BEATS_PER_SECOND, 4) for b in music.beats],
            "onsets": [round(float(b) / BEATS_PER_SECOND, 4) for b in music.onsets],
        },
    }
