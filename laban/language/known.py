"""Does the data show what a sentence asks for? Words first, then the distance to all captions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from laban.language.actions import UNKNOWN, Found, bases, find, phrases, table, word_kinds
from laban.language.clauses import AUXILIARIES, tokens
from laban.language.inflection import singular
from laban.language.lexicon import (
    DETERMINERS,
    DIRECTIONS,
    LINKERS,
    MANNERS,
    PEOPLE,
    PREPOSITIONS,
    forms,
    is_kind,
    verb_at,
)
from laban.language.planner import plan
from laban.language.spelling import Correction, Speller
from laban.language.vocabulary import Entry, Vocabulary
from laban.language.wording import subject_and_rest, verb_place

if TYPE_CHECKING:
    import numpy as np

Embed = Callable[[Sequence[str]], "np.ndarray"]  # N sentences -> (N, D) unit vectors
NEAREST = 3
PARTICLES = frozenset("up down out off away not".split())
NEUTRAL = ("body", "people", "thing", "measure", "manner", "scenery")  # kinds of words that change no action
# Behind these stands where to or where, whatever it is: to her grandmother, past the palace
TARGETS = frozenset("to toward towards at past from through across along around behind beside near between".split())
# Actions that are the same with any ordinary object: a box or a stone; of others the data's captions say with which
HANDLING = frozenset("lift carry throw pick-up hold push press kick use-item gather".split())
ENDS = frozenset(", and but or nor after before until while where when because so that if than who which whose".split())
# Cosine to the nearest caption from which on an unknown verb is taken for a synonym that the table lacks. With the
# shipped text encoder the nearest unknown verb of the tuning half has 0.84 ("stands on their head"), and of all
# sentences "knocks three times" 0.92; benchmarks/language.py prints the distributions. Objects and props are no
# synonyms: what walks on stilts is near to what walks.
NEAR = 0.95
CAPTIONS = 8  # captions of an action that are compared, the most frequent ones


@dataclass(frozen=True)
class Near:
    """A known action near a sentence, and an example of it."""

    action: str
    example: str


@dataclass(frozen=True)
class Understanding:
    """What of a sentence the data shows.

    corrected: the sentence with its typing errors mended; corrections: what was mended.
    actions: known actions in it, in order.
    unknown_words: words that ask for something that the data does not show.
    known: whether all that is asked for is shown.
    nearest: the nearest known actions.
    similarity: cosine to the nearest caption; None without an embedding, and where words alone say that it is known.
    """

    sentence: str
    corrected: str
    corrections: tuple[Correction, ...]
    actions: tuple[str, ...]
    unknown_words: tuple[str, ...]
    known: bool
    nearest: tuple[Near, ...]
    similarity: float | None = None

    @property
    def warning(self) -> str | None:
        """One sentence that names the unknown words and the nearest actions; None where all is known."""
        if self.known:
            return None
        near = ", ".join(f"{n.action} ({n.example!r})" for n in self.nearest)
        if self.unknown_words:
            words = ", ".join(repr(word) for word in self.unknown_words)
            said = f"the data does not show {words}"
        else:
            said = "the data shows nothing near this sentence"
        return f"{said}, so the motion will be another one. Nearest known actions: {near}."

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "sentence": self.sentence,
            "corrected": self.corrected,
            "corrections": [{"typed": c.typed, "read": c.read} for c in self.corrections],
            "actions": list(self.actions),
            "unknown_words": list(self.unknown_words),
            "known": self.known,
            "nearest": [{"action": n.action, "example": n.example} for n in self.nearest],
            "similarity": None if self.similarity is None else round(self.similarity, 4),
            "warning": self.warning,
        }


class Reader:
    """Reads sentences against a vocabulary.

    Args:
        vocabulary: what the data shows; None: all of the shipped table, with its own examples.
        embed: unit vectors of sentences, asked for only where words are unknown; None: words alone decide, and the
            nearest actions are those whose examples share words.
        speller: mends typing errors first; None: nothing is mended.
        near: see NEAR.
    """

    def __init__(
        self, vocabulary: Vocabulary | None = None, embed: Embed | None = None, speller: Speller | None = None,
        near: float = NEAR,
    ) -> None:  # fmt: skip
        self.vocabulary = whole_table() if vocabulary is None else vocabulary
        self.embed, self.speller, self.near = embed, speller, near
        self._compared = [(said, e.action) for e in self.vocabulary.entries for said in e.captions[:CAPTIONS]]
        self._vectors: np.ndarray | None = None
        self._shown: dict[str, bool] = {}
        self._said: dict[str, frozenset[str]] = {}

    def understand(self, sentence: str) -> Understanding:
        """What of a sentence the data shows. A caption of the data is always known."""
        corrected, corrections = (sentence, ()) if self.speller is None else self.speller.correct(sentence)
        whole = corrected.lower().strip().rstrip(".!")
        if whole in self.vocabulary.captions:
            action = self.vocabulary.captions[whole]
            return Understanding(sentence, corrected, corrections, (action,), (), True, ())
        actions: list[str] = []
        unknown: list[str] = []
        never = False  # an action of which it is known that no data has it
        for step in plan(corrected, self.vocabulary.captions).steps:
            found, missing, barred = self._clause(step.text)
            actions += found
            unknown += missing
            never |= barred
        known = bool(actions) and not unknown
        scores = None if known else self.similarities(corrected)
        similarity = None if scores is None else max(scores.values())
        if similarity is not None and similarity >= self.near:
            known = not never and all(forms().get(word) and not bases(word) & word_kinds()["prop"] for word in unknown)
        nearest = () if known else self._nearest(corrected, scores)
        words = () if known else tuple(dict.fromkeys(unknown))
        return Understanding(
            sentence, corrected, corrections, tuple(dict.fromkeys(actions)), words, known, nearest, similarity
        )

    def _clause(self, text: str) -> tuple[list[str], list[str], bool]:
        """Known actions and unknown words of one step, and whether it names an action that no data has."""
        rest = _spoken(text)
        found = find(rest)
        if not all(self._shows(f.action) for f in found):
            found = find(rest, {action for action in table() if self._shows(action)})
        kept = [f for f in found if not f.action.startswith(UNKNOWN)]
        shown = frozenset().union(*(self._words_of(f.action) for f in kept))
        return [f.action for f in kept], unknown_words(rest, kept, shown), len(kept) < len(found)

    def _words_of(self, action: str) -> frozenset[str]:
        """Words, in base forms, that the data's captions and the table say of an action."""
        if action not in self._said:
            entry = self.vocabulary.by_action.get(action)
            said = {word for caption in (*entry.captions,) for word in tokens(caption)} if entry else set()
            said |= set(tokens(table().get(action, "")))
            said |= {word for phrase in phrases() if phrase.action == action for part in phrase.words for word in part}
            self._said[action] = frozenset().union(*(bases(word) for word in said))
        return self._said[action]

    def _shows(self, action: str) -> bool:
        """Whether the data shows an action, as its own or in a caption: squats, in "squats and picks something up"."""
        if action not in self._shown:
            self._shown[action] = (
                action in self.vocabulary.by_action
                or action.startswith(UNKNOWN)
                or any(find(_spoken(caption), {action}) for caption in self.vocabulary.captions)
            )
        return self._shown[action]

    def similarities(self, sentence: str) -> dict[str, float] | None:
        """Action -> cosine of a sentence with the nearest of its captions; None without an embedding."""
        if self.embed is None:
            return None
        if self._vectors is None:
            self._vectors = self.embed([said for said, _ in self._compared])
        scores = self._vectors @ self.embed([sentence])[0]
        best: dict[str, float] = {}
        for (_, action), score in zip(self._compared, scores.tolist(), strict=True):
            best[action] = max(best.get(action, -1.0), score)
        return best

    def _nearest(self, sentence: str, scores: dict[str, float] | None) -> tuple[Near, ...]:
        if scores is None:
            said = {base for word in tokens(sentence) if not _means_nothing(word) for base in bases(word)}
            scores = {
                entry.action: sum(bool(bases(word) & said) for word in tokens(entry.example)) + entry.minutes * 1e-6
                for entry in self.vocabulary.entries
            }
        ranked = sorted(scores, key=lambda action: -scores[action])[:NEAREST]
        return tuple(Near(action, self.vocabulary.by_action[action].example) for action in ranked)


def whole_table() -> Vocabulary:
    """The shipped table as a vocabulary, for use without weights: examples as captions, no minutes."""
    return Vocabulary(tuple(Entry(action, example, (example,), 0.0, ("",)) for action, example in table().items()))


def _spoken(text: str) -> list[str]:
    """The words of a sentence from its verb on."""
    return subject_and_rest([word for word in tokens(text) if word not in (".", "!", "?", ":")])[1]


def unknown_words(words: list[str], found: list[Found], shown: frozenset[str] = frozenset()) -> list[str]:
    """Words of a clause (without its subject) that ask for more than the actions found in it.

    Its verb, and any other verb of an action; the object of a verb that takes none; props; whom it is like; and every
    other word that is neither known to change nothing nor said by the data of these actions.

    Args:
        words: the clause in lower case.
        found: the known actions in it.
        shown: words that the data's captions of these actions say, in base forms.
    """
    used = {place for f in found for place in f.places}
    kinds = word_kinds()
    main = verb_place(words)
    taking = any(f.takes and f.action in HANDLING for f in found)
    unknown: list[int] = []
    for at, word in enumerate(words):
        if at in used or not word[0].isalpha():
            continue
        form = verb_at(words, at)
        if main is not None and at < main and not _means_nothing(word) and word not in AUXILIARIES and form is None:
            unknown.append(at)  # belly dances
        elif at == main and main not in used:
            unknown += _verb_and_object(words, at, used)
        elif form is not None and at != main and form.form in ("third", "gerund") and _is_action(words, at, form.form):
            unknown += _verb_and_object(words, at, used)
        elif bases(word) & kinds["prop"] or word in kinds["acts"]:
            plain = bases(word) & shown or singular(word) in kinds["object"]
            if not (plain and any(f.props and at in _object(words, p) for f in found for p in f.places)):
                unknown.append(at)
        elif _likened(words, at) and singular(word) not in kinds["style"]:
            unknown.append(at)
        elif not (form or forms().get(word) or word in AUXILIARIES | ENDS or _may_be(words, at, shown, taking=taking)):
            unknown.append(at)
    for f in found:
        unknown += [at for at in _refused(words, f, shown) if at not in used]
    said = [words[at] for at in sorted(set(unknown))]
    telling = [word for word in said if not any(is_kind(form.lemma, "light") for form in forms().get(word, ()))]
    return telling or said  # of "gives a thumbs up" the thumbs


def _is_action(words: list[str], at: int, form: str) -> bool:
    """A verb of its own: not a noun (`his steps`), nor what a known verb says of its object."""
    lemma = forms()[words[at]][0].lemma
    if is_kind(lemma, "light", "phase") or lemma in ("be", "come", "let", "show"):
        return False
    if form == "gerund":
        return at > 0 and (words[at - 1] in (",", "and", "while", "as") or lemma not in ("use", "wear", "look"))
    return at > 0 and (words[at - 1] in ("and", ",", "but", "who", "then") or words[at - 1] in PEOPLE)


def _verb_and_object(words: list[str], at: int, used: set[int]) -> list[int]:
    """An unknown verb; a light or empty one is told by its object alone."""
    readings = forms().get(words[at], ())
    lemma = readings[0].lemma if readings else words[at]
    named = [place for place in _object(words, at) if place not in used]
    if words[at] in AUXILIARIES or lemma == "be":
        return named
    if is_kind(lemma, "phase"):
        return named
    if is_kind(lemma, "light") or lemma in ("put", "get", "come", "go", "set", "let", "use"):
        return named or ([at] if not used else [])
    return [at, *named]


def _object(words: list[str], verb: int) -> list[int]:
    """Places of the nouns of the object right behind a verb: [the, violin] -> violin."""
    at = verb + 1
    while at < len(words) and (words[at] in PARTICLES or _is_plain_adverb(words[at])):
        at += 1
    nouns: list[int] = []
    while at < len(words):
        word = words[at]
        if word in PREPOSITIONS | LINKERS | AUXILIARIES | ENDS:
            break
        if nouns and (verb_at(words, at) is not None and forms()[word][0].form in ("third", "gerund")):
            break
        if not (word in DETERMINERS or _means_nothing(word)):
            nouns.append(at)
        at += 1
    return nouns


def _refused(words: list[str], f: Found, shown: frozenset[str]) -> list[int]:
    """Places of the object of an action that takes none of that kind."""
    parts = [at for at in _parts(words, f.places[-1]) if not bases(words[at]) & shown]
    if not f.takes:
        return parts + _object(words, f.places[-1])
    return parts if f.people else parts + _person_alone(words, f.places[-1])


def _parts(words: list[str], verb: int) -> list[int]:
    """Places of a part of the body that is the object right behind a verb: pushes [her hair]."""
    at = verb + 1
    while at < len(words) and (words[at] in DETERMINERS or words[at] in PARTICLES):
        at += 1
    if at == verb + 1 or at >= len(words) or words[at - 1] in PARTICLES | {"left", "right"} - DETERMINERS:
        return []
    return [at] if singular(words[at]) in word_kinds()["part"] else []


def _person_alone(words: list[str], verb: int) -> list[int]:
    """Places of a person who is the whole object behind a verb: throws [his, opponent]; not `throws him the ball`."""
    if _object(words, verb):
        return []
    persons: list[int] = []
    for at in range(verb + 1, len(words)):
        if words[at] in PREPOSITIONS | LINKERS | AUXILIARIES | ENDS or verb_at(words, at) is not None:
            break
        if singular(words[at]) in (PEOPLE | word_kinds()["people"]) - {"it"}:
            persons.append(at)
    return persons


def _may_be(words: list[str], at: int, shown: frozenset[str], *, taking: bool) -> bool:
    """Whether a word beside an action changes nothing, is said with it by the data, or is an ordinary object of it."""
    if _means_nothing(words[at]) or bases(words[at]) & shown:
        return True
    before = [word for word in words[:at] if word in PREPOSITIONS or verb_at(words, words.index(word)) is not None]
    last = before[-1] if before else ""
    if last in TARGETS:
        return True
    tool = last == "with"  # walks with a stick
    return taking and not tool and singular(words[at]) in word_kinds()["object"]


def _likened(words: list[str], at: int) -> bool:
    """The noun of `like a robot`, `as a cat`, or the word before style and way."""
    before = [word for word in words[max(0, at - 3) : at] if word not in DETERMINERS]
    if not before or words[at] in DETERMINERS or words[at] in PREPOSITIONS:
        return False
    return before[-1] == "like" and (at + 1 >= len(words) or not _is_noun_like(words[at + 1]))


def _is_noun_like(word: str) -> bool:
    if not word.isalpha() or word in PREPOSITIONS | LINKERS | {"and"}:
        return False
    return not forms().get(word) and not word.endswith("ly")


def _is_plain_adverb(word: str) -> bool:
    return word.endswith("ly") or word in MANNERS


def _means_nothing(word: str) -> bool:
    """Words that change no action: parts of the body, people, directions, measures, manners, scenery."""
    kinds = word_kinds()
    base = singular(word)
    if word in PREPOSITIONS | DETERMINERS | DIRECTIONS | LINKERS | MANNERS | PEOPLE or _is_plain_adverb(word):
        return True
    return not word[0].isalpha() or any(base in kinds[kind] or word in kinds[kind] for kind in NEUTRAL)
