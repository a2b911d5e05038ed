"""Sentences become motions: read, planned, drawn several times over, ranked and written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from laban.actions.context import Context
from laban.actions.inputs import MAX_SECONDS, checked, sentences
from laban.actions.options import bounded, check, described, in_python
from laban.actions.outputs import check_outputs, write_all
from laban.actions.understanding import Reading, reader_of
from laban.actions.wearing import Wearing
from laban.authoring.short import Short
from laban.errors import InputError
from laban.systems.options import GUIDANCE, SEED, STEPS, Bounds

if TYPE_CHECKING:
    from laban.actions.library import LibraryFirst
    from laban.character.stance import Stance
    from laban.motion.motion import Motion
    from laban.systems.base import System

MAX_RESULTS = 10_000  # motions of one call
MODEL = "kmm"
FREE = "-free"  # shipped weights under this ending were trained on data that allows commercial use


@dataclass(frozen=True)
class GenerateOptions:
    """What is asked of `generate`."""

    sentences: tuple[str, ...] = in_python((), "what the person does, a motion each; instead of text and prompts")
    out: tuple[Path, ...] = described(
        (),
        "Files to write; the suffix says the format: .glb .bvh .npz .fbx .mp4 .gif .png .html. With several samples "
        "walk.glb becomes walk-1.glb, walk-2.glb; with --prompts it becomes walk-001.glb, walk-002.glb.",
    )
    text: str = described("", 'What the person does, in English, in quotes: "a person walks forward and turns left".')
    seconds: float | None = bounded(
        None, Bounds(0.1, MAX_SECONDS), "Length of the motion; estimated from the words if not given."
    )
    seed: int = bounded(0, SEED, "Which of the many motions that fit the words.")
    samples: int | None = bounded(
        None,
        Bounds(1, 64, whole=True),
        "Motions to draw per sentence. All are written, unless --best says how many.",
    )
    best: int | None = bounded(
        None,
        Bounds(1, 64, whole=True),
        "Of those drawn, write only this many: those that do what the sentence says where there is a rule for it, and "
        "then those whose feet slide and sink least. If neither is given, the best of 4 is written (of large models "
        "the first and only one); --samples 1 draws one.",
    )
    text_encoder: Path | None = described(
        None, "CLIP's weights, for imported models: a Hugging Face folder, or a .pt of OpenAI or open_clip."
    )
    prompts: Path | None = described(
        None, "A file with one sentence per line, instead of TEXT; blank lines and # comments are skipped."
    )
    model: str = described(MODEL, "Shipped weights by name (kmm, momask, motionclip), or a folder with weights.")
    licence: Literal["any", "commercial"] = described(
        "any", "any, or commercial for the weights whose training data allows commercial use."
    )
    library: Path | None = described(
        None,
        "A folder of motions that answers first: its best clip is taken, fitted in length, where it matches the words "
        "better than what is generated.",
    )
    fps: float = bounded(30.0, Bounds(1, 240), "Frames per second of the files.")
    steps: int | None = bounded(None, STEPS, "Rounds of the masked model: more is slower.")
    guidance: float | None = bounded(None, GUIDANCE, "How strongly the words are followed.")
    precision: Literal["32", "bf16"] = described(
        "32", "bf16 is faster on some processors with units for it and on GPUs, slower on others; other motions."
    )
    raw: bool = described(False, "Leave out the clean-up of feet and jitter.")
    as_is: bool = described(False, "Take the sentence as one action: no plan of steps, no mended spelling.")
    wearing: Wearing = field(default=Wearing(), metadata={"help": "a character to wear the motions"})
    short: Short = field(default=Short(), metadata={"help": "poses, a path, places to reach, a loop"})

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The sentences, those of the file of prompts where one is named. Raises InputError as `inputs.sentences`."""
        return self.sentences or tuple(sentences(self.text, self.prompts))

    @property
    def kept(self) -> int:
        """Motions kept of each sentence."""
        return self.best or self.samples or 1

    def files(self, line: int, sample: int) -> list[Path]:
        """Files of one motion: walk.glb; walk-2.glb of several samples; walk-003.glb, walk-003-2.glb of many sentences.

        Args:
            line: number of the sentence, from 1.
            sample: number of the sample, from 1.
        """
        many = self.prompts is not None or len(self.sentences) > 1
        name = f"-{line:0{max(3, len(str(len(self.lines))))}}" if many else ""
        name += f"-{sample}" if self.kept > 1 else ""
        return [path.with_name(f"{path.stem}{name}{path.suffix}") for path in self.out]

    def checked(self, names: dict[str, str] | None = None) -> GenerateOptions:
        """The options with clean sentences. Raises InputError for whatever cannot be, before any work is done."""
        lines = self.lines
        check(self, names)
        if self.best is not None and self.samples is not None and self.best > self.samples:
            more = f"--best is {self.best}, more than the {self.samples} of --samples."
            raise InputError(f"{more} Draw more, or keep fewer.")
        if self.licence not in ("any", "commercial"):
            raise InputError(f"licence is {self.licence!r}, expected any or commercial.")
        if len(lines) * self.kept > MAX_RESULTS:
            total = len(lines) * self.kept
            raise InputError(f"{total} motions were asked for; expected at most {MAX_RESULTS}. Use several commands.")
        if self.out:
            check_outputs(self.out, self.wearing.formats)
        for number, sentence in enumerate(self.sentences, start=1):
            checked(sentence, "the sentence" if len(lines) == 1 else f"sentence {number}")
        if self.short.given and (len(lines) > 1 or (self.best or 1) > 1 or self.library is not None):
            raise InputError("poses, paths, places and loops are for one sentence and one result, without a library.")
        return self


@dataclass(frozen=True)
class Generated:
    """One motion of a sentence.

    Attributes:
        text: the sentence as it was asked.
        motion: at the asked rate.
        files: written.
        reading: what of the sentence the data shows, None with `as_is` or weights without a vocabulary.
        certificate: of a character that wears it.
        report: what became of poses, a path and places that were asked for (`laban.authoring.report`); None without.
    """

    text: str
    motion: Motion
    files: tuple[Path, ...] = ()
    reading: Reading | None = None
    certificate: Any = None
    report: Any = None

    @property
    def known(self) -> bool:
        """Whether the data shows what was asked and, where a rule can tell, the motion does it."""
        selection = (self.motion.passport or {}).get("selection") or {}
        return (self.reading is None or self.reading.known) and selection.get("does") is not False


def model_of(model: str, licence: str) -> str:
    """The weights to use: with the licence "commercial" those that end in -free.

    Raises: InputError if there are none of that name.
    """
    if licence != "commercial" or model.endswith(FREE):
        return model
    from laban.systems.registry import WEIGHTS

    if not (WEIGHTS / f"{model}{FREE}").is_dir():
        shipped = sorted(p.name for p in WEIGHTS.glob(f"*{FREE}"))
        raise InputError(
            f"--licence commercial: there are no weights {model}{FREE}; expected a model of "
            f"{', '.join(name.removesuffix(FREE) for name in shipped) or '(none ship)'}."
        )
    return f"{model}{FREE}"


def generate(options: GenerateOptions, context: Context) -> list[Generated]:
    """A motion, or several, for each sentence.

    Each sentence is drawn by itself with the same seed: line 3 of many gives what it alone gives.

    Args:
        options: see GenerateOptions.
        context: models, progress, warnings; asked between sentences whether to stop.
    Returns: results in the order of the sentences, best first of each.
    Raises: InputError for options that cannot be; Cancelled.
    """
    from laban.systems.capabilities import MakesMotion
    from laban.systems.registry import locate

    options.checked()
    name = model_of(options.model, options.licence)
    stance = options.wearing.check(options.out)
    locate(name)  # a wrong name is said before torch is loaded
    clock = context.clock
    if options.short.given:
        return [_authored(options, name, stance, context)]
    with clock.part("import torch"):
        import torch  # noqa: F401
    with clock.part(f"load {name}"):
        system = context.models.load(MakesMotion, name, context.device, text_encoder=options.text_encoder)
    shelf = _shelf(options.library, context)
    reader = None if options.as_is else reader_of(system, name)
    results: list[Generated] = []
    for line, sentence in enumerate(options.lines, start=1):
        context.check()
        context.progress(line - 1, len(options.lines), "sentences")
        sentence = " ".join(sentence.split())
        with clock.part("generate"):
            reading = None if reader is None else reader.read(sentence)
            motions = _drawn(system, sentence, reading, options, context)
        if shelf is not None:
            with clock.part("search library"):
                motions = shelf.answer(sentence, options.seconds, motions)
        for sample, motion in enumerate(motions, start=1):
            made = Generated(sentence, motion.resample(options.fps), tuple(options.files(line, sample)), reading)
            results.append(_written(made, stance, options, context))
    context.progress(len(options.lines), len(options.lines), "sentences")
    return results


def _authored(options: GenerateOptions, model: str, stance: Stance | None, context: Context) -> Generated:
    """One sentence as a timeline with poses, a path, places to reach or a loop."""
    from laban.authoring.author import author
    from laban.authoring.timeline import Prompt, Timeline

    [sentence], options = options.lines, replace(options, best=1)
    length = options.seconds or options.short.length
    bare = Timeline(
        length, fps=options.fps, seed=options.seed, samples=options.samples or 8,
        prompts=(Prompt(0.0, length, sentence),), model="auto" if model == MODEL else model,
    )  # fmt: skip
    timeline = options.short.onto(bare)
    if options.short.save_timeline is not None:
        timeline.write(options.short.save_timeline)
    made = author(timeline, context, allow_outside=True)
    files = tuple(options.files(1, 1)) if options.out else ()
    return _written(Generated(sentence, made.motion, files, report=made.report), stance, options, context)


def _shelf(folder: Path | None, context: Context) -> LibraryFirst | None:
    """The library that answers first, if one is named."""
    if folder is None:
        return None
    from laban.actions.library import LibraryFirst

    with context.clock.part("open library"):
        return LibraryFirst.open(folder, context)


def _written(made: Generated, stance: Stance | None, options: GenerateOptions, context: Context) -> Generated:
    """The same, in its files; on the character, if there is one, with its certificate."""
    if stance is not None:
        with context.clock.part("retarget and write"):
            worn = options.wearing.write(stance, made.motion, made.files, context)
        return replace(made, certificate=worn.certificate)
    write_all(made.motion, made.files, context, options.fps)
    return made


def _drawn(
    system: System, sentence: str, reading: Reading | None, options: GenerateOptions, context: Context
) -> list[Motion]:
    """The motions of one sentence, best first, and what a person should know of them."""
    from laban.actions.best_of import DRAWN, draw_best, drawn_by_default
    from laban.actions.plans import Request, begins_standing, performed
    from laban.metrics.gait import LONGEST_JUMP
    from laban.systems.capabilities import Composes
    from laban.systems.requests import TextRequest

    settings: dict[str, Any] = {"clean": not options.raw}
    settings |= {} if options.precision == "32" else {"precision": options.precision}
    settings |= {n: v for n, v in (("steps", options.steps), ("guidance", options.guidance)) if v is not None}
    drawn = options.samples or (drawn_by_default(system) if options.best is None else max(options.best, DRAWN))
    for warning in () if reading is None else reading.warnings:
        context.warn(warning)
    plan = None if reading is None else reading.plan
    several = plan is not None and (len(plan.steps) > 1 or any(step.repeats > 1 for step in plan.steps))
    if plan is not None and several and not isinstance(system, Composes):
        one = f"a {system.name} model performs one action; of {plan.summary()!r} it may show one."
        context.warn(f"{one} Use --model {MODEL}.")
        plan = None
    composed = False
    if plan is not None and isinstance(system, Composes):
        composed = begins_standing(plan) or any(len(step.parts) == 2 for step in plan.steps)
    if plan is None or (plan.plain and not composed):
        text = sentence if reading is None else reading.corrected
        motions = draw_best(system, TextRequest(text, options.seconds), options.seed, drawn, options.kept, settings)
    else:
        request = Request(options.seed, drawn, options.kept, options.seconds)
        motions = performed(plan, system, request, settings, context)
    passport = motions[0].passport or {}
    if passport.get("understood") == 0:
        context.warn(f"no word of {sentence!r} is understood, so the motion is arbitrary. Write plain English.")
    selection = passport.get("selection") or {}
    if selection.get("hover", 0.0) > LONGEST_JUMP:
        context.warn(f"the motion is {selection['hover']:.1f} s in the air, longer than any jump. Try another --seed.")
    if selection.get("does") is False:
        asked = f"what {sentence!r} asks ({selection['asked']})"
        context.warn(f"none of the {drawn} motions drawn does {asked}. Try another --seed.")
    return motions
