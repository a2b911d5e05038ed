"""Sentences about the actions of the clips: plain wordings, everyday synonyms, captions, contrast groups."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import distil_actions_everyday
import distil_actions_fight
import distil_actions_move
from distil_grammar import gerund, past, third
from distil_words import (
    ADJECTIVES,
    CONTRASTS,
    EVERYDAY_SUBJECTS,
    FOES,
    NUMBERS,
    PLACES,
    ROLES,
    STYLE_OF_WHO,
    STYLES,
    SUBJECTS,
    THINGS,
    TIMES,
)  # fmt: skip

HANDLED = re.compile("^(throws|catches|lifts|holds|stands holding|pushes|pulls|picks|puts|walks carrying)")


def synonyms() -> dict[str, tuple[str, ...]]:
    """Plain wording -> its synonyms, with `{it}` for things that one handles and `{foe}` for opponents."""
    found = {}
    for rows in (distil_actions_move.ROWS, distil_actions_everyday.ROWS, distil_actions_fight.ROWS):
        for _, plain, words in rows:
            if HANDLED.match(plain):
                words = words.replace("something", "{it}")
            if rows is distil_actions_fight.ROWS and not plain.startswith("heals"):
                words = words.replace("someone", "{foe}")
            found[plain] = tuple(words.split("|"))
    return found


SYNONYMS = synonyms()
ACTION = {  # plain wording -> action word of the clips
    plain: action
    for rows in (distil_actions_move.ROWS, distil_actions_everyday.ROWS, distil_actions_fight.ROWS)
    for action, plain, _ in rows
}
# base form of a synonym -> plain wording; the first row that has it counts
PLAIN = {word.replace("*", ""): plain for plain, words in reversed(SYNONYMS.items()) for word in words}
STYLED = {style: words.split("|") for style, words in STYLES.items() if style}
COUNTED = re.compile(
    "^(jumps|hops|claps|kicks|punches|nods|bows|spins|waves|slashes|stabs|throws|squats|shakes|does a|turns around)"
)
Form = Callable[[str], str]


def inflect(form: Form, words: str) -> str:
    """The form of a verb phrase's first word, and of every further verb marked with `*`."""
    return " ".join(form(w[1:]) if w.startswith("*") else w for w in form(words).split(" "))


def fill(words: str, who: str, rng: random.Random) -> str:
    """Numbers and pronouns that fit the subject."""
    if re.search(r"\b(he|man|guy|boy|father|king|hero)\b", who):
        he, his, him = "he", "his", "him"
    elif re.search(r"\b(she|woman|girl|lady|mother|grandmother)\b", who):
        he, his, him = "she", "her", "her"
    elif who == "they":
        he, his, him = "they", "their", "them"
    else:
        he, his, him = rng.choice((("they", "their", "them"), ("they", "the", "them"), ("he", "his", "him")))
    words = words.replace("{do}", rng.choice(("do", "perform", "do", "execute", "make")))
    words = words.replace("{n}", rng.choice(NUMBERS)).replace("{his}", his).replace("{he}", he)
    words = words.replace("{it}", "something" if who == "they" or rng.random() < 0.4 else rng.choice(THINGS))
    words = words.replace("{foe}", "someone" if who == "they" or rng.random() < 0.5 else rng.choice(FOES))
    self = {"him": "himself", "her": "herself", "them": "themselves"}[him]
    return words.replace("{himself}", self).replace("{him}", him)


class Writer:
    """Writes one action in many sentences; `who`, `how` and the verb form stay the same within a contrast group."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def subject(self) -> tuple[str, str]:
        """(subject, style that it names or "")."""
        pick = self.rng.random()
        if pick < 0.25:
            return "a person", ""
        if pick < 0.55:
            return self.rng.choice(EVERYDAY_SUBJECTS), ""
        if pick < 0.82:
            role = self.rng.choice(ROLES)
            article = self.rng.choice(("the", "an" if role[0] in "aeio" else "a"))
            return f"{article} {role}", STYLE_OF_WHO.get(role, "")
        if pick < 0.93:
            style = self.rng.choice(list(ADJECTIVES))
            adjective = self.rng.choice(ADJECTIVES[style].split("|"))
            noun = self.rng.choice("person man woman person girl boy guy lady character".split())
            article = self.rng.choice(("the", "an" if adjective[0] in "aeiou" else "a"))
            return f"{article} {adjective} {noun}", style
        who = self.rng.choice([s for s in SUBJECTS if s != "they"])
        return who, STYLE_OF_WHO.get(re.sub(r"^(an?|the) ", "", who), "")

    def manner(self) -> tuple[str, str]:
        """(manner words, style); ("", "") in two of three cases."""
        if self.rng.random() < 0.65:
            return "", ""
        style = self.rng.choice(list(STYLED))
        return self.rng.choice(STYLED[style]), style

    def settings(self) -> tuple[str, str, str, int, float]:
        """(subject, manner words, style, form number, place of the manner): what a contrast group shares."""
        (who, named), (how, style) = self.subject(), self.manner()
        form = self.rng.choices(range(6), (42, 20, 14, 10, 8, 6))[0]
        if form in (2, 3) and named:
            named = ""  # no subject is written
        return who, how, style or named, form, self.rng.random()

    def place(self) -> str:
        """Where, when or with whom, in one of six cases."""
        return self.rng.choice(PLACES) if self.rng.random() < 1 / 6 else ""

    def sentence(self, words: str, who: str, how: str, form: int, place: float, tail: str = "") -> str:
        """One sentence: third person, is -ing, -ing, base form, past, or starts to."""
        rng = self.rng
        if words.startswith("="):
            return f"{words[1:]} {how}".strip()
        words = fill(words, who, rng)
        if words.startswith(">"):
            return f"{who} {words[1:]}"
        if words.startswith("be ") and form in (1, 2):  # "is standing", not "is being standing"
            form, words = (0, words) if form == 1 else (3, words.removeprefix("be "))
        forms: tuple[Form, ...] = (third, gerund, gerund, str, past, str)
        verb = inflect(forms[form], words) + (f" {tail}" if tail else "")
        link = {1: "is ", 5: rng.choice(("starts to ", "begins to ", "wants to ", "should ", "will "))}.get(form, "")
        subject = "" if form in (2, 3) else who + " "
        if how and how.endswith("ly") and " " not in how and place < 0.35:
            return f"{subject}{link}{how} {verb}"
        if how and place < 0.45:
            return f"{how}, {subject}{link}{verb}"
        return f"{subject}{link}{verb}" + (f"{',' if place > 0.85 else ''} {how}" if how else "")


def polish(text: str, rng: random.Random) -> str:
    """Some sentences begin with a capital and end with a full stop."""
    text = re.sub(r"\s+", " ", text).strip()
    return text[0].upper() + text[1:] + "." if rng.random() < 0.12 else text


def plain_sentence(plain: str, style: str) -> str:
    """The plain wording of an action in a style."""
    return f"a person {plain}" + (f", {style}" if style else "")


def groups(rng: random.Random, count: int) -> Iterator[list[tuple[str, str]]]:
    """`count` contrast groups of (sentence, plain sentence)."""
    writer, plains = Writer(rng), list(SYNONYMS)
    deck = [(plain, word) for plain, words in SYNONYMS.items() for word in words]
    rng.shuffle(deck)
    dealt = itertools.cycle(deck)
    for _ in range(count):
        who, how, style, form, place = writer.settings()
        kind, tail = rng.random(), writer.place()
        if kind < 0.5:  # one wording, or its two sides
            plain, words = next(dealt)
            if COUNTED.match(plain) and "{n}" not in words and rng.random() < 0.2:
                tail = rng.choice(TIMES)
            chosen = [(plain, words)]
        elif kind < 0.87:  # actions that motion keeps apart
            row = rng.choice(CONTRASTS)
            chosen = [(p, rng.choice(SYNONYMS[p])) for p in rng.sample(row, min(len(row), rng.choice((2, 3, 3, 4))))]
        elif kind < 0.94:  # one action in several manners
            side = Side(rng.choice(("left", "right")))
            plain, words = (text.format_map(side) for text in next(dealt))
            styles = rng.sample(list(STYLED), 3)
            yield [
                (polish(writer.sentence(words, "a person", rng.choice(STYLED[style]), form, place), rng),
                 plain_sentence(plain, style))
                for style in styles
            ]  # fmt: skip
            continue
        else:  # two actions one after the other, in both orders
            names = [p for p in rng.sample(plains, 6) if "{side}" not in p][:2]
            first, second = (rng.choice([w for w in SYNONYMS[p] if w[0] not in "=>"] or [""]) for p in names)
            join = rng.choice((" and *", " and then *", ", then *", " before *")).replace("before *", "and *")
            if first and second and "{side}" not in first + second:
                yield [
                    (polish(writer.sentence(f"{a}{join}{b}", who, "", form, 1.0), rng),
                     f"a person {p} and {q}" + (f", {style}" if style and not how else ""))
                    for a, b, p, q in ((first, second, *names), (second, first, *names[::-1]))
                ]  # fmt: skip
            continue
        shapes = []
        for plain, words in chosen:
            sides = ("left", "right") if "{side}" in plain + words else ("",)
            for side in sides:
                text = writer.sentence(words.format_map(Side(side)), who, how, form, place, tail)
                wordy = not words.startswith(("=", ">"))
                named = style if wordy or how and words[0] == "=" else ""
                shapes.append((polish(text, rng), plain_sentence(plain.format(side=side), named)))
        yield shapes


class Side(dict[str, str]):
    """Fills {side} only; the other fields wait for the subject."""

    def __init__(self, side: str) -> None:
        super().__init__(side=side)

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def read(tables: Iterable[Path]) -> list[list[str]]:
    """The captions of every row of `captions.tsv` files, the plainest first."""
    rows = []
    for table in sorted(tables):
        head, *lines = table.read_text("utf-8").splitlines()
        at = head.split("\t").index("captions")
        rows += [line.split("\t")[at].split("|") for line in lines]
    return rows


def captions(tables: Iterable[Path], rng: random.Random, copies: int = 5) -> Iterator[tuple[str, str]]:
    """(sentence, plain sentence): every caption, and `copies` of it with other subjects, forms and manners."""
    rows = read(tables)
    plains: dict[str, Counter[str]] = {}
    first = {row[0] for row in rows}
    for row in rows:
        for caption in row:
            plains.setdefault(caption, Counter())[caption if caption in first else row[0]] += 1
    known = {
        f"a person {inflect(third, fill(w.format_map(Side(s)), 'they', rng))}": f"a person {p.format(side=s)}"
        for p, words in SYNONYMS.items() for w in words if w[0] not in "=>" for s in ("left", "right")
    }  # fmt: skip
    bases = {third(w): w for words in SYNONYMS.values() for word in words for w in heads(word)}
    writer = Writer(rng)
    for caption in sorted(plains):
        plain = known.get(caption) or max(sorted(plains[caption]), key=plains[caption].__getitem__)
        yield caption, plain
        words = base(caption.removeprefix("a person "), bases)
        for _ in range(copies):
            who, how, style, form, place = writer.settings()
            if words is None or words.startswith("be "):
                text = caption.replace("a person", who, 1) + (f" {how}" if how else "")
                form = 0
            else:
                text = writer.sentence(words, who, how, form, place, writer.place())
            yield polish(text, rng), plain + (f", {style}" if style else "")


def heads(words: str) -> list[str]:
    """The verbs of a synonym: its first word and the marked ones."""
    if words[0] in "=>":
        return []
    return [words.split(" ")[0], *(w[1:] for w in words.split(" ") if w.startswith("*"))]


def base(predicate: str, bases: dict[str, str]) -> str | None:
    """`sits down and waits` -> `sit down and *wait`; None when the first word is no known third person."""
    found = predicate.split(" ")
    if found[0] not in bases:
        return None
    for i in range(1, len(found)):
        if found[i] in bases and (found[i - 1] in ("and", "then") or found[i - 1].endswith(",")):
            found[i] = "*" + bases[found[i]]
    return " ".join([bases[found[0]], *found[1:]])
