"""What the commands do: run before and after a change of structure, which must change none of it.

    python tools/checks/behaviour.py record FILE [LAST]     run the commands, write what they do
    python tools/checks/behaviour.py compare FILE [LAST]    run them again; exit 1 and say what differs, and how

LAST is the name of the command to end with, for a quick look; the whole takes two minutes of CPU.

Each command runs in a process of its own (forked after torch is imported), with one thread, in one scratch folder. Kept
are the exit code, what it printed, and for each file it wrote a hash and, where Laban reads it, what is in it, so that
a difference of the last bit can be told from another motion. Times, sizes of memory and the scratch folder's name are
removed first. Whatever is not the same in two runs on one machine has no place here. Hashes belong to one machine and
one set of libraries, which are kept too: record and compare on the same.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[2]
WALK, WAVE, BOW = "a person walks forward", "a person waves with the right hand", "a person bows"
TINY_VIDEO = [
    "frames.count=4", "digits.frames=4", "prefixes=(2,4)", "coder.width=8", "coder.code_width=8", "coder.codes=16",
    "decoder.width=24", "decoder.heads=2", "score.width=4", "score.embedding=16", "tokenizer_schedule.batch_size=8",
    "decoder_schedule.batch_size=2", "score_schedule.batch_size=4",
]  # fmt: skip
TAKES = {
    "dataset-1_walk-left_active_001": "walk", "dataset-1_bow_sad_001": "bow", "dataset-2_walk_normal_005": "walk",
    "dataset-2_bow_happy_008": "bow", "dataset-2_wave-left-hand_elderly_001": "wave-2",
    "dataset-2_dance-short_normal_001": "script", "dataset-2_bow_normal_005": "bow",
    "dataset-2_raise-up-left-hand_normal_012": "wave-1", "dataset-2_run_happy_005": "script",
}  # fmt: skip
"""A folder as Bandai-Namco's: the name of a take, which says label and split, and the motion in it."""
TRAIN = ["--preset", "tiny", "--steps", "2", "--threads", "1", "--device", "cpu", "--quiet", "--no-preview"]

Step = list[str] | Callable[[], None]


def steps() -> Iterator[tuple[str, Step]]:
    """(name, words after `laban`, or a function that prepares files), in order: later ones read earlier ones' files."""

    def run(name: str, *words: object) -> tuple[str, Step]:
        return name, [str(w) for w in words]

    # A sentence.
    yield run("generate", "generate", WALK, "--seconds", 3, "--seed", 7, "--out", "walk.glb", "walk.bvh", "walk.npz")
    yield run("generate-json", "generate", WAVE, "--seconds", 2, "--seed", 1, "--samples", 2, "--out",
              "wave.npz", "--json")  # fmt: skip
    yield run("generate-best", "generate", BOW, "--seconds", 2, "--samples", 3, "--best", 1, "--out",
              "bow.npz", "bow.bvh")  # fmt: skip
    yield run("generate-kmm", "generate", WALK, "--model", "kmm", "--seconds", 2, "--seed", 3, "--out", "kmm.npz")
    yield run("generate-latent", "generate", WALK, "--model", "motionclip", "--seconds", 2, "--out", "latent.npz")
    yield run("generate-options", "generate", WALK, "--seconds", 2, "--steps", 4, "--guidance", 3, "--raw",
              "--fps", 30, "--out", "raw.bvh", "raw.html")  # fmt: skip
    yield "prompts", lambda: Path("prompts.txt").write_text(f"{WALK}\n{BOW}\n")
    yield run("generate-prompts", "generate", "--prompts", "prompts.txt", "--seconds", 2, "--out", "many.npz")
    yield run("generate-film", "generate", WALK, "--seconds", 1, "--samples", 1, "--out", "walk.png", "walk.gif")
    # Edits, scripts.
    yield run("edit-range", "edit", "walk.npz", "--text", WAVE, "--range", "1.0:2.0", "--seed", 2, "--out",
              "edited.npz")  # fmt: skip
    yield run("edit-extend", "edit", "walk.bvh", "--text", BOW, "--extend", 1.5, "--samples", 1, "--out",
              "longer.bvh", "--json")  # fmt: skip
    yield run("edit-then", "edit", "walk.npz", "--text", WALK, "--then", "bow.npz", "--gap", 0.8, "--samples", 1,
              "--out", "then.npz")  # fmt: skip
    yield run("script", "script", f"{WALK} @2", f"{WAVE} @2", "--seed", 3, "--out", "script.npz", "script.bvh")
    yield run("script-only", "script", f"{WALK} @2", f"{WAVE} @2", "--seed", 3, "--only", 2, "--out",
              "only.npz", "--json")  # fmt: skip
    yield run("script-parts", "script", f"{WALK} @2", f"{BOW} @2", "--parts", 1, "--raw", "--out", "parts.npz")
    # Music.
    song = ROOT / "examples" / "song.ogg"
    yield run("dance", "dance", song, "--seconds", 4, "--seed", 5, "--out", "dance.npz", "dance.glb", "--device", "cpu")
    yield run("dance-plain", "dance", song, "--seconds", 3, "--start", 2, "--no-lock-beats", "--raw", "--bpm", 96,
              "--out", "plain.bvh", "--json")  # fmt: skip
    # The latent.
    yield "library", _library
    yield run("search", "search", "someone walks", "--in", "library", "--top", 2, "--index", "index", "--json")
    yield run("search-like", "search", "--like", "bow.npz", "--in", "library", "--top", 2, "--index",
              "index", "--sheet", "found.png")  # fmt: skip
    yield run("recognise", "recognise", "walk.npz", "--json")
    yield run("caption", "caption", "bow.bvh", "--top", 3)
    yield run("blend", "blend", "walk.npz", "bow.npz", "--steps", 2, "--out", "blend.npz")
    yield run("mix", "mix", "walk.npz", "--minus", "walk", "--plus", "walk like an old person", "--out", "mix.bvh")
    yield run("generate-library", "generate", WALK, "--seconds", 2, "--library", "library", "--out",
              "first.npz", "--json")  # fmt: skip
    # Files and characters.
    yield run("convert", "convert", "walk.bvh", "copy.npz", "copy.glb", "--fps", 25)
    yield run("convert-retarget", "convert", "walk.bvh", "mapped.npz", "--retarget", "--json")
    yield run("render", "render", "bow.bvh", "bow.png", "bow.html", "bow.gif", "--width", 320, "--height", 240)
    yield run("info", "info", "walk.glb", "--json")
    yield run("info-text", "info", "walk.bvh")
    yield run("clean", "clean", "raw.bvh", "--foot-lock", "--ground", "--smooth", "--out", "clean.bvh", "--json")
    yield run("inspect", "character", "inspect", "walk.glb", "--out", "hero.map.json")
    yield run("retarget", "retarget", "bow.bvh", "--character", "walk.glb", "--fps", 30, "--out", "hero.glb",
              "hero.bvh", "hero.vrma", "hero.png", "--json")  # fmt: skip
    yield run(
        "generate-character",
        "generate",
        BOW,
        "--seconds",
        2,
        "--character",
        "walk.glb",
        "--map",
        "hero.map.json",
        "--in-place",
        "--out",
        "worn.glb",
    )
    # Data, training, evaluation.
    yield "takes", _takes
    yield run("prepare", "data", "prepare", "bandai-namco", "takes", "prepared", "--json")
    yield run("train-momask", "train", "momask", "--data", "prepared", "--out", "run-momask", *TRAIN)
    yield run("train-again", "train", "momask", "--data", "prepared", "--out", "run-momask", *TRAIN, "--json")
    yield run("train-kmm", "train", "kmm", "--data", "prepared", "--out", "run-kmm", *TRAIN)
    yield run("train-motionclip", "train", "motionclip", "--data", "prepared", "--out", "run-motionclip", *TRAIN)
    yield run("train-evaluator", "train", "evaluator", "--data", "prepared", "--out", "run-evaluator", *TRAIN)
    yield "digits", _digits
    yield run("train-godiva", "train", "godiva", "--data", "mnist.tar", "--out", "run-godiva", *TRAIN,
              "--set", *TINY_VIDEO)  # fmt: skip
    yield run("video", "video", "digit 3 moves up then down", "--model", "run-godiva", "--out", "v.png",
              "--samples", 2, "--json")  # fmt: skip
    yield run("video-on", "video", "digit 3 moves up", "--model", "run-godiva", "--from-frames", "v.png", "--keep", 2,
              "--out", "on.png", "on.gif")  # fmt: skip
    yield run("generate-trained", "generate", WALK, "--model", "run-momask", "--seconds", 1, "--out", "trained.npz")
    yield run("evaluate", "evaluate", "run-momask", "--data", "prepared", "--out", "report", "--quick", "--repeats", 1,
              "--threads", 1, "--quiet", "--json")  # fmt: skip
    yield run("evaluate-files", "evaluate", "--motions", "scored", "--data", "prepared", "--out", "files", "--quick",
              "--repeats", 1, "--threads", 1, "--quiet")  # fmt: skip
    yield run("evaluate-fact", "evaluate", "fact", "--data", "prepared", "--out", "dances", "--quick", "--cases", 2,
              "--threads", 1, "--quiet")  # fmt: skip
    yield run("evaluate-long", "evaluate", "kmm", "--protocol", "long", "--data", "prepared", "--out", "long",
              "--compositions", 1, "--length", 2, "--repeats", 1, "--threads", 1, "--quiet")  # fmt: skip
    fixtures = ROOT / "tests" / "fixtures"
    yield run("check-features", "check", "features", fixtures / "features_humanml3d.npz", "--json")
    yield run("vocabulary", "vocabulary")
    yield run("vocabulary-trained", "vocabulary", "--model", "run-momask", "--json")
    # Help of every command, and what is refused.
    from laban.cli import COMMANDS

    for name in COMMANDS:
        yield run(f"help-{name.replace(' ', '-')}", *name.split(), "--help")
    yield run("help", "--help")
    yield run("version", "--version")
    for name, words in REFUSED.items():
        yield run(f"refused-{name}", *words)


REFUSED: dict[str, list[object]] = {
    "command": ["generat", WALK],
    "option": ["generate", WALK, "--secnods", 3],
    "model": ["generate", WALK, "--model", "momsk", "--out", "no.glb"],
    "suffix": ["generate", WALK, "--out", "no.xyz"],
    "seconds": ["generate", WALK, "--seconds", 1000, "--out", "no.glb"],
    "seed": ["generate", WALK, "--seed", -1, "--out", "no.glb"],
    "empty": ["generate", "", "--out", "no.glb"],
    "video-model": ["generate", WALK, "--model", "godiva", "--out", "no.glb"],
    "edit-model": ["edit", "walk.npz", "--text", BOW, "--range", "0:1", "--model", "fact", "--out", "no.npz"],
    "edit-range": ["edit", "walk.npz", "--text", BOW, "--range", "2:1", "--out", "no.npz"],
    "script-model": ["script", WALK, "--model", "momask", "--out", "no.npz"],
    "script-none": ["script", "--out", "no.npz"],
    "dance-model": ["dance", ROOT / "examples" / "song.ogg", "--model", "momask", "--out", "no.npz"],
    "dance-song": ["dance", "none.ogg", "--out", "no.npz"],
    "video-motions": ["video", "digit 3 moves up", "--model", "momask", "--out", "no.png"],
    "search-model": ["search", "a walk", "--in", "library", "--model", "momask"],
    "read": ["info", "prompts.txt"],
    "missing": ["convert", "none.bvh", "no.npz"],
    "broken": ["convert", "broken.bvh", "no.npz"],
    "retarget": ["retarget", "bow.bvh", "--character", "broken.bvh", "--out", "no.glb"],
    "corpus": ["data", "prepare", "bandai-nmco", "takes", "prepared"],
    "train-preset": ["train", "momask", "--data", "prepared", "--out", "no", "--preset", "huge"],
    "train-data": ["train", "momask", "--data", "none", "--out", "no"],
    "import": ["import-weights", "momask", "none", "no"],
    "import-empty": ["import-weights", "momask", "library", "no"],
    "check": ["check", "features", "prompts.txt"],
    "check-metrics": ["check", "metrics", "walk.npz"],
    "check-momask": ["check", "momask", "library"],
    "check-motionclip": ["check", "motionclip", "library"],
    "check-evaluator": ["check", "evaluator", "library"],
    "fetch": ["data", "fetch", "nobodys", "no"],
}  # fmt: skip


def _library() -> None:
    Path("library").mkdir()
    for name in ("walk.npz", "bow.bvh", "wave-1.npz"):
        shutil.copy(name, "library")
    Path("broken.bvh").write_text("HIERARCHY\nROOT broken")


def _takes() -> None:
    """A folder to prepare, and one to score, of motions that were generated above."""
    from laban import read, write

    Path("takes").mkdir()
    Path("scored").mkdir()
    for number, (name, source) in enumerate(TAKES.items()):
        motion = read(f"{source}.npz").resample(30)
        write(motion.crop(0, motion.seconds - 0.03 * number), f"takes/{name}.bvh")
    for source in ("walk", "bow", "script"):
        write(read(f"{source}.npz").resample(20), f"scored/{source}.npz")


def _digits() -> None:
    """MNIST's layout with digits of our own drawing."""
    for name in ("laban.data.synthesis.synthetic_digits", "laban.data." + "synthetic_digits"):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        module.write(Path("mnist.tar"), 400)
        return
    raise SystemExit("behaviour.py: the synthetic digits have moved; name their module here.")


# What differs from run to run.

_TIMES = re.compile(r"(?<![\w.])\d+(\.\d+)?(e-?\d+)? ?(s|ms|MB|seconds?|CPU-s)\b(?! @)")
_DROPPED = {"timings", "peak_megabytes", "machine", "cost", "cpu", "rate", "steps_per_second", "took", "time",
            "elapsed", "seconds_per_clip", "date", "modified", "started", "wall", "mtime", "memory"}  # fmt: skip
_VARYING = re.compile(r"\| [\d.]+ \|$|^laban .* \| .*$", re.MULTILINE)
"""Of a report: a row's last cell, which is CPU time, and the line on the machine."""
_SKIPPED = re.compile(r"metrics\.jsonl$|\.tar$|/state/|^index$|/\.laban/|/motions/")
"""Files not compared: they hold times (of training steps, of indexed files, of clips), or are input made here."""


def _pruned(value: Any) -> Any:
    """JSON without the keys that hold times."""
    if isinstance(value, dict):
        return {k: _pruned(v) for k, v in value.items() if k not in _DROPPED}
    return [_pruned(v) for v in value] if isinstance(value, list) else value


def normalised(text: str, place: str) -> str:
    """Printed text without times, progress bars and the scratch folder's name."""
    text = text.replace(place, "HERE").replace(str(ROOT), "ROOT").replace("\r", "\n")
    try:
        return json.dumps(_pruned(json.loads(text)), sort_keys=True)
    except ValueError:
        return re.sub(r" +N ", " N ", _TIMES.sub("N \\3", text))  # times are set flush right


def hash_of(path: Path, place: str) -> str:
    """sha256 of a file; of JSON and Markdown without what differs from run to run."""
    data = path.read_bytes()
    if path.suffix in (".json", ".md"):
        text = data.decode()
        text = normalised(text, place)
        data = (_VARYING.sub("N", text) if path.suffix == ".md" else text).encode()
    return hashlib.sha256(data).hexdigest()[:16]


def run_one(words: list[str]) -> tuple[int, str, str]:
    """A command in a forked process: exit code, stdout, stderr."""
    with tempfile.TemporaryDirectory() as folder:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                from laban.cli import main

                out, err = StringIO(), StringIO()
                with redirect_stdout(out), redirect_stderr(err):
                    code = main(words)
                Path(folder, "out").write_text(out.getvalue())
                Path(folder, "err").write_text(err.getvalue())
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        streams = [Path(folder, name).read_text() if Path(folder, name).is_file() else "" for name in ("out", "err")]
    return os.waitstatus_to_exitcode(status), streams[0], streams[1]


def facts_of(path: Path) -> str:
    """What is in a motion or picture, to see how far two of them are apart; its size for anything else."""
    from laban.errors import LabanError

    if path.suffix == ".png":
        from PIL import Image

        with Image.open(path) as picture:
            return f"{picture.width} x {picture.height} pixels"
    if path.suffix in (".bvh", ".glb", ".npz"):
        from laban import read

        try:
            motion = read(path)
        except LabanError:
            return f"{path.stat().st_size} bytes"
        joints = motion.joints()
        end = ", ".join(f"{x:.4f}" for x in joints[-1, 0])
        return f"{motion.frames} frames at {motion.fps:g} fps, mean {joints.mean():.5f}, root ends at ({end})"
    return f"{path.stat().st_size} bytes"


def observed(last: str = "") -> dict[str, dict[str, Any]]:
    """Name of each command -> its exit code, what it printed and which files it wrote; up to the command `last`."""
    import torch
    import tyro  # noqa: F401

    torch.set_num_threads(1)
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="laban-behaviour-") as folder:
        place = str(Path(folder).resolve())
        os.chdir(place)
        known: dict[str, tuple[int, str]] = {}
        for name, step in steps():
            if callable(step):
                step()
                code, out, err = 0, "", ""
            else:
                code, out, err = run_one(step)
            written = {}
            for path in sorted(p for p in Path().rglob("*") if p.is_file() and not _SKIPPED.search(str(p))):
                stamp = path.stat().st_mtime_ns
                if known.get(str(path), (0, ""))[0] != stamp:
                    digest = hash_of(path, place)
                    if known.get(str(path), (0, ""))[1] != digest and not callable(step):
                        written[str(path)] = f"{digest}: {facts_of(path)}"
                    known[str(path)] = stamp, digest
            if not callable(step):
                error = normalised(err if code else "", place)
                found[name] = {"exit": code, "stdout": normalised(out, place), "error": error, "files": written}
                print(f"{name}: {code}, {len(written)} files", file=sys.stderr)
            if name == last:
                break
        os.chdir("/")
    return found


def libraries() -> dict[str, str]:
    """The versions on which hashes depend."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in ("torch", "numpy", "av", "pillow")}}


def differences(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[str]:
    """What differs between two runs of a command, for a person; none if they are the same."""
    if old is None or new is None:
        return ["was not recorded" if old is None else "is not run any more"]
    lines = []
    if old["exit"] != new["exit"]:
        lines.append(f"exit code {old['exit']}, now {new['exit']}")
    for stream in ("stdout", "error"):
        if old[stream] != new[stream]:
            changed = difflib.unified_diff(old[stream].splitlines(), new[stream].splitlines(), n=0, lineterm="")
            told = [line[:160] for line in changed if not line.startswith(("---", "+++", "@@"))]
            more = [f"... and {len(told) - 12} more lines"] if len(told) > 12 else []
            lines += [f"{stream}:", *(f"  {line}" for line in [*told[:12], *more])]
    for path in dict.fromkeys([*old["files"], *new["files"]]):
        before, now = old["files"].get(path, "not written"), new["files"].get(path, "not written")
        if before != now:
            facts = [value.partition(": ")[2] or value for value in (before, now)]
            same = "the same by these facts, other bytes: " if facts[0] == facts[1] else ""
            lines.append(f"{path}: {same}{facts[0]}" + ("" if same else f"; now {facts[1]}"))
    return lines


def main() -> int:
    """Record or compare."""
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in ("record", "compare"):
        print(__doc__, file=sys.stderr)
        return 2
    path, last = Path(sys.argv[2]).resolve(), sys.argv[3] if len(sys.argv) == 4 else ""
    before: dict[str, Any] = json.loads(path.read_text()) if sys.argv[1] == "compare" else {}
    if before and "libraries" not in before:
        print(f"{path} was recorded by an earlier form of this tool; record it again on the tree to compare with.")
        return 2
    found = observed(last)
    if sys.argv[1] == "record":
        path.write_text(json.dumps({"libraries": libraries(), "commands": found}, indent=1) + "\n")
        print(f"{path}: {len(found)} commands")
        return 0
    if before["libraries"] != libraries():
        print(f"other libraries: recorded with {before['libraries']}, now {libraries()}")
    recorded = {name: row for name, row in before["commands"].items() if name in found or not last}
    wrong = {name: differences(recorded.get(name), found.get(name)) for name in dict.fromkeys([*recorded, *found])}
    wrong = {name: lines for name, lines in wrong.items() if lines}
    for name, lines in wrong.items():
        print("\n".join([name, *(f"  {line}" for line in lines)]))
    print(f"{len(found)} commands, {len(wrong)} differ" + (f": {', '.join(wrong)}" if wrong else ""))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
