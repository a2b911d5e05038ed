"""Sentences for distilling Laban's text encoder: WordNet, CMU descriptions, templated action phrases.

Three sources, nothing else:
  wordnet    definitions and examples of Debian's `wordnet-base` (WordNet 3.0 licence, free for any purpose)
  cmu        the descriptions of the CMU clips (`captions.tsv`)
  templates  subject x verb x direction / side / body part / manner, with words of our own and of WordNet

Templates come in contrast groups: the same sentence with left/right, forward/backward, raise/lower or
walk/run exchanged. Members of a group stand next to each other and share a group number, so that training
can match the teacher's *difference* between them as well as its embeddings.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import distil_actions
from distil_everyday import CHECK, EVERYDAY
from distil_grammar import gerund, past, third
from distil_paraphrases import PARAPHRASES
from distil_words import (
    DOWN,
    EXTRAS,
    FAST,
    LIMBS,
    MANNERS,
    OTHER,
    PLAIN_OTHER,
    SIDES,
    SLOW,
    STYLE_OF,
    STYLE_OF_WHO,
    SUBJECTS,
    TRAVEL,
    TURN,
    UP,
    WAVES,
    WAYS,
)  # fmt: skip

WORDNET = Path("/usr/share/wordnet")
PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
# Lexicographer files whose nouns matter for people and movement: act, artifact, body, feeling, person.
NOUN_FILES = {"04", "06", "08", "12", "18"}


@dataclass(frozen=True)
class Synset:
    """One WordNet synset: part of speech, lexicographer file, lemmas, hyponym keys, definition, examples."""

    part: str
    file: str
    lemmas: tuple[str, ...]
    hyponyms: tuple[str, ...]
    definition: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Sentence:
    """A training sentence; sentences of one contrast group share `group` (-1: none).

    `plain` is a plain wording of the same action ("the toddler ambles off leftwards" -> "a person walks to the
    left, like a child"), or "" when the corpus knows none.
    """

    text: str
    source: str
    group: int = -1
    plain: str = ""


def wordnet(folder: Path = WORDNET) -> dict[str, Synset]:
    """Read WordNet's data files. Returns synsets by key, for example `v00001740`."""
    if not (folder / "data.verb").is_file():
        raise SystemExit(f"WordNet is not at {folder}: run `apt-get install wordnet-base`, or give --wordnet")
    synsets: dict[str, Synset] = {}
    for name, letter in PARTS.items():
        for line in (folder / f"data.{name}").read_text("utf-8", "replace").splitlines():
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition(" | ")
            field = head.split(" ")
            count = int(field[3], 16)
            lemmas = tuple(re.sub(r"\(\w+\)$", "", field[4 + 2 * i]).replace("_", " ") for i in range(count))
            at = 4 + 2 * count
            pointers = int(field[at])
            hyponyms = tuple(
                field[at + 3 + 4 * i] + field[at + 2 + 4 * i] for i in range(pointers) if field[at + 1 + 4 * i] == "~"
            )
            examples = tuple(re.findall(r'"([^"]+)"', gloss))
            definition = re.sub(r';?\s*"[^"]*"[^;]*', "", gloss).strip().strip(";").strip()
            synsets[letter + field[0]] = Synset(letter, field[1], lemmas, hyponyms, definition, examples)
    return synsets


def common_words(synsets: Iterable[Synset], folder: Path = WORDNET) -> set[str]:
    """Lower-case words of WordNet (names left out): lemmas, irregular forms, and regular inflections."""
    words: set[str] = set()
    for synset in synsets:
        for lemma in filter(str.islower, synset.lemmas):
            words.update(re.findall("[a-z]+", lemma))
            if not lemma.isalpha():
                continue
            if synset.part == "v":
                words.update((third(lemma), gerund(lemma), past(lemma)))
            elif synset.part == "n":
                words.add(third(lemma))
            elif synset.part == "a":
                words.update((lemma + "er", lemma + "est", lemma + "ly", lemma.rstrip("e") + "er"))
    for name in PARTS:
        words.update(line.split()[0] for line in (folder / f"{name}.exc").read_text().splitlines())
    return words


def english(synsets: Iterable[Synset], folder: Path = WORDNET) -> list[str]:
    """Lower-case single words of three letters or more, with irregular forms; for the fraction of known words."""
    words = {w for s in synsets for w in s.lemmas if re.fullmatch("[a-z]{3,}", w)}
    for name in PARTS:
        listed = (line.split()[0] for line in (folder / f"{name}.exc").read_text().splitlines())
        words.update(w for w in listed if re.fullmatch("[a-z]{3,}", w))
    return sorted(words)


def glosses(synsets: dict[str, Synset], rng: random.Random) -> Iterator[Sentence]:
    """Definitions and examples of at most 18 words: all verbs and adverbs, a part of the nouns and adjectives."""
    for synset in synsets.values():
        keep = synset.part in "vr" or synset.file in NOUN_FILES and rng.random() < 0.4 or rng.random() < 0.07
        lemma = synset.lemmas[0]
        for example in synset.examples:
            if len(example.split()) <= 16 and (keep or rng.random() < 0.35):
                yield Sentence(example, "wordnet")
        if keep and 1 <= len(synset.definition.split()) <= 18:
            pick = rng.random()
            text = synset.definition if pick < 0.5 else f"{lemma}: {synset.definition}"
            yield Sentence(f"to {text}" if synset.part == "v" and pick < 0.25 else text, "wordnet")
        if keep and rng.random() < 0.2:
            yield Sentence(", ".join(synset.lemmas), "wordnet")


def hyponyms(synsets: dict[str, Synset], lemma: str, part: str, depth: int = 3) -> list[str]:
    """Single-word lemmas below every sense of `lemma`, at most `depth` levels down, in a stable order."""
    level = [k for k, s in synsets.items() if s.part == part and lemma in s.lemmas]
    found: dict[str, None] = {}
    for _ in range(depth):
        level = [h for k in level for h in synsets[k].hyponyms if h in synsets]
        for key in level:
            found.update((w, None) for w in synsets[key].lemmas if w.isalpha() and w.islower() and len(w) > 2)
    return list(found)


def style_of(who: str, how: str) -> str:
    """The plain manner of a sentence: of its manner words, or else of its subject; "" if none or unknown."""
    how = how.strip(", ")
    if how:
        return STYLE_OF.get(how, "")
    return STYLE_OF_WHO.get(re.sub(r"^(an?|the) | (is|starts to)$", "", who), "")


class Kinds:
    """Plain verbs for synonyms: our lists, and WordNet's kinds of walking, running, dancing, cutting."""

    def __init__(self, synsets: dict[str, Synset]) -> None:
        self.walk = set(hyponyms(synsets, "walk", "v")) | set(
            "walk stroll amble stride march saunter wander pace step trudge plod shuffle strut swagger hobble hike "
            "tread waddle trek parade promenade meander toddle lumber go move roam advance proceed travel".split()
        )
        self.walk -= set("tiptoe limp stagger stumble reel totter creep sneak prowl slink steal skulk".split())
        self.run = set("run jog trot lope canter".split())
        self.fast = set("sprint dash race rush hurry bolt hurtle speed charge scurry scamper dart flee gallop".split())
        self.dance = set(hyponyms(synsets, "dance", "v"))

    def travel(self, verb: str) -> str:
        """Plain third person of a verb of travelling."""
        if verb in self.run:
            return "runs"
        if verb in self.fast:
            return "sprints"
        return "walks" if verb in self.walk else third(verb)

    def limb(self, limb: str) -> str:
        """Hand for the upper limb, leg for the lower, or the part itself."""
        if limb in "hand arm palm fist wrist elbow forearm finger thumb".split():
            return "hand"
        return "leg" if limb in "leg foot knee heel ankle".split() else limb

    def limb_verb(self, verb: str) -> str:
        """Raises, lowers, waves, or the verb itself."""
        if verb in UP:
            return "raises"
        if verb in DOWN:
            return "lowers"
        return "waves" if verb in WAVES and not verb.startswith(("point", "move", "gesture", "motion")) else third(verb)

    def other(self, verb: str) -> str:
        """Plain wording of the other actions, "" if unknown."""
        known = distil_actions.PLAIN.get(verb) or PLAIN_OTHER.get(verb)
        return known or ("dances" if verb in self.dance else third(verb.replace("{side}", "right")))


def templates(synsets: dict[str, Synset], rng: random.Random, groups: int) -> Iterator[Sentence]:
    """`groups` contrast groups of one, two or four action phrases."""
    people = [s.lemmas[0] for s in synsets.values() if s.file == "18" and s.part == "n" and s.lemmas[0].islower()]
    people = [p for p in people if len(p.split()) <= 2]
    travel = hyponyms(synsets, "walk", "v") + hyponyms(synsets, "run", "v", 1) + hyponyms(synsets, "travel", "v", 2)
    gesture = hyponyms(synsets, "gesticulate", "v") + hyponyms(synsets, "strike", "v", 1)
    gesture += hyponyms(synsets, "dance", "v") + hyponyms(synsets, "cut", "v", 1) + hyponyms(synsets, "turn", "v", 1)
    anything = [w for s in synsets.values() if s.part == "v" and s.file in {"29", "35", "38"} for w in s.lemmas]
    adverbs = [w for s in synsets.values() if s.part == "r" for w in s.lemmas if w.endswith("ly") and w.isalpha()]

    def subject() -> str:
        pick = rng.random()
        if pick < 0.3:
            return "a person"
        if pick < 0.8:
            return rng.choice(SUBJECTS)
        person = rng.choice(people)
        return ("an " if person[0] in "aeiou" else "a ") + person

    def manner() -> str:
        pick = rng.random()
        if pick < 0.4:
            return ""
        word = rng.choice(MANNERS) if pick < 0.8 else rng.choice(adverbs)
        return rng.choice((" ", ", ")) + word

    def one_side(side: str) -> str:
        return rng.choice(("the", "the", "the", "his", "her", "their", "a", "one's")) + f" {side}"

    kinds = Kinds(synsets)
    for group in range(groups):
        who, how, kind = subject(), manner(), rng.random()
        style = style_of(who, how)
        shapes: list[tuple[str, str]]  # wording, plain wording ("" when unknown)
        form = (third, third, third, gerund, str)[rng.randrange(5)]
        if form is not third:
            who = "" if rng.random() < 0.7 else who + (" is" if form is gerund else " starts to")
        if not who:
            style = style_of("", how)
        if kind < 0.22:  # a way of travelling, four directions
            verb = rng.choice(TRAVEL if rng.random() < 0.7 else travel)
            left, right = rng.choice(SIDES)
            front, back = rng.choice(WAYS)
            go = kinds.travel(verb)
            plains = (" to the left", " to the right", " forward" if go == "walks" else "", " backward")
            shapes = [(f"{form(verb)} {w}", go + p) for w, p in zip((left, right, front, back), plains, strict=True)]
        elif kind < 0.42:  # travelling and turning
            verb = rng.choice(TRAVEL if rng.random() < 0.8 else travel)
            turn, (left, right) = rng.choice(TURN), rng.choice(SIDES)
            join = rng.choice(("{v} and {t}", "{v} then {t}", "{v}, {g}", "{v} while {g}", "{t}"))
            middle = join.format(v=form(verb), t=form(turn), g=gerund(turn))
            extra = rng.choice(("", "", " slightly", " sharply", " slowly", " ninety degrees", " around"))
            go = kinds.travel(verb)
            plain = "turns {}" if join == "{t}" else go + " and turns {}"
            shapes = [
                (f"{middle}{extra} {word}", plain.format(side)) for word, side in ((left, "left"), (right, "right"))
            ]
            if rng.random() < 0.3:
                shapes.append((form(verb) + " forward", go + (" forward" if go == "walks" else "")))
        elif kind < 0.66:  # one limb or both: raise, lower, wave
            limb = rng.choice(LIMBS)
            group_of = rng.choice((UP, WAVES, WAVES, UP, DOWN))
            verb, other = rng.choice(group_of), rng.choice(DOWN if group_of is UP else UP)
            tail = rng.choice(("", "", "", " in the air", " high", " above the head", " overhead", " up", " slowly"))
            left, right = one_side(f"left {limb}"), one_side(f"right {limb}")
            if rng.random() < 0.15:
                left, right = f"the {limb} on the left", f"the {limb} on the right"
            plural = "feet" if limb == "foot" else limb + "s"
            both = rng.choice(("both", "both", "both of their", "the two", "her two")) + " " + plural
            part, act = kinds.limb(limb), kinds.limb_verb(verb)
            parts = "both legs" if part == "leg" else f"both {part}s"
            plains = (f"{act} the left {part}", f"{act} the right {part}", f"{act} {parts}")
            shapes = [(f"{form(verb)} {x}{tail}", p) for x, p in zip((left, right, both), plains, strict=True)]
            end, side = (left, "left") if rng.random() < 0.5 else (right, "right")
            shapes.append((f"{form(other)} {end}{tail}", f"{kinds.limb_verb(other)} the {side} {part}"))
            if rng.random() < 0.2:
                shapes = shapes[:2]
        elif kind < 0.74:  # walking against running
            tail = rng.choice(("", " forward", " along", " away", " " + rng.choice(EXTRAS), " " + rng.choice(MANNERS)))
            style = style or STYLE_OF.get(tail.strip(), "")
            for_walk = " forward" if tail in ("", " forward", " along", " away") or style else tail
            for_run = "" if for_walk == " forward" else tail
            slow, fast = rng.choice(SLOW), rng.choice(FAST)
            shapes = [
                (f"{form(slow)}{tail}", "walks" + for_walk), (f"{form(fast)}{tail}", kinds.travel(fast) + for_run)
            ]  # fmt: skip
        elif kind < 0.9:  # the other actions of the vocabulary
            verb = rng.choice(OTHER) if rng.random() < 0.8 else rng.choice(gesture)
            sides = ("left", "right") if "{side}" in verb else ("",)
            shapes = [(form(verb.format(side=s)), kinds.other(verb).format(side=s)) for s in sides]
            if rng.random() < 0.4:
                how, style = "", style_of(who, "")
        elif kind < 0.96:  # any movement verb of WordNet
            verb = f"{form(rng.choice(anything))} {rng.choice(EXTRAS) if rng.random() < 0.3 else ''}".strip()
            shapes = [(verb, "")]
        else:  # one action in several manners
            verb = rng.choice(TRAVEL + OTHER[:60])
            how, style = "", ""
            go = kinds.other(verb).format(side="left") if verb in OTHER else kinds.travel(verb)
            go = "walks forward" if go == "walks" else go
            act = form(verb.format(side="left"))
            shapes = [(f"{act} {word}", f"{go}, {style_of('', word)}" if style_of("", word) else "")
                      for word in rng.sample(MANNERS, 3)]  # fmt: skip
        for shape, plain in shapes:
            text = f"{who} {shape}{how}".strip()
            if rng.random() < 0.1:
                text = text[0].upper() + text[1:] + "."
            if plain:
                plain = f"a person {plain}" + (f", {style}" if style else "")
            yield Sentence(re.sub(r"\s+", " ", text), "template", group, plain)


def single_words(synsets: dict[str, Synset], rng: random.Random, count: int) -> Iterator[Sentence]:
    """Single lemmas of one word, so that words outside the sentences get a place too."""
    lemmas = sorted({w.lower() for s in synsets.values() for w in s.lemmas if w.isalpha() and len(s.hyponyms) >= 1})
    verbs = sorted({w for s in synsets.values() if s.part in "vr" for w in s.lemmas if w.isalpha()})
    for word in rng.sample(lemmas, min(count // 2, len(lemmas))) + rng.sample(verbs, min(count // 2, len(verbs))):
        yield Sentence(word, "word")


def actions(tables: Sequence[Path], rng: random.Random, count: int, start: int) -> Iterator[Sentence]:
    """Sentences about the clips' actions (distil_actions): `count` contrast groups, numbered from `start`, captions."""
    for number, shapes in enumerate(distil_actions.groups(rng, count), start):
        for text, plain in shapes:
            yield Sentence(text, "action", number, plain)
    for text, plain in distil_actions.captions(tables, rng):
        yield Sentence(text, "action", -1, plain)


def build(
    synsets: dict[str, Synset],
    captions: Path | None,
    clips: Sequence[Path] = (),
    left_out: Iterable[str] = (),
    seed: int = 0,
    groups: int = 12000,
    gloss_limit: int = 24000,
    action_groups: int = 14000,
) -> list[Sentence]:
    """The whole corpus, without repeated texts and without the sentences of the development lists.

    Args:
        synsets: from `wordnet()`.
        captions: CMU `captions.tsv` (file, description), or None to leave it out.
        clips: `captions.tsv` of the clips (a column `captions`).
        left_out: sentences that must not be in the corpus, a test set for instance.
        seed: of every random choice.
        groups: contrast groups of templates (two to three sentences each).
        gloss_limit: at most so many WordNet sentences.
        action_groups: contrast groups about the clips' actions.
    """
    rng = random.Random(seed)
    every = list(glosses(synsets, rng))
    rng.shuffle(every)
    every = every[:gloss_limit]
    every += list(templates(synsets, rng, groups))
    every += list(single_words(synsets, rng, 5000))
    if captions is not None:
        lines = captions.read_text("utf-8").splitlines()[1:]
        descriptions = sorted({line.split("\t")[1] for line in lines if "\t" in line})
        every += [Sentence(f"a person: {d}", "cmu") for d in descriptions]
        every += [Sentence(d, "cmu") for d in descriptions]
    every += list(actions(clips, random.Random(seed + 1), action_groups, groups))
    seen = {bare(t) for t in (*left_out, *(p[0] for p in PARAPHRASES), *(p[0] for p in (*EVERYDAY, *CHECK)))}
    kept = []
    for sentence in every:
        if bare(sentence.text) not in seen:
            seen.add(bare(sentence.text))
            kept.append(sentence)
    return kept


def bare(text: str) -> str:
    """A text without capitals and closing full stop."""
    return text.lower().strip().rstrip(".")


def prompts(table: Path) -> list[str]:
    """The column `prompt` of a tab-separated table."""
    head, *lines = table.read_text("utf-8").splitlines()
    at = head.split("\t").index("prompt")
    return [line.split("\t")[at] for line in lines if line]
