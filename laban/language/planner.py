"""One English sentence into a plan: by the rules that docs/language.md lists, with no learned part.

A sentence with one action comes out as it is. Otherwise each step is a sentence with its subject restored.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from laban.language import negation, quantities, routes, wording
from laban.language.action import SOMEONE, Action, tidied
from laban.language.clauses import split, tokens
from laban.language.joining import at_once, upper_and_lower
from laban.language.lexicon import PRONOUNS, forms, is_kind
from laban.language.plan import Plan, Route, Step

BARE = frozenset("person man woman boy girl guy character figure".split())  # subjects that want an article
MANY = frozenset("people men women children kids boys girls persons friends dancers soldiers".split())
FAST_ALREADY = frozenset("run sprint dash race bolt rush hurry charge gallop".split())
MOST_REPEATS = 20
JOINERS = {"while": " while ", "opened": " while ", "": " while ", "as": " as ", "and": " and ", "also": " and "}
RETURNS = frozenset("walk run march jog go stroll come sprint dash stride crawl".split())
_DELAY = re.compile(rf",? ?\bafter (?P<n>{quantities.NUMBER}|an?) (?P<unit>seconds?|secs?|s|minutes?)\b,?")
_LATER = re.compile(r",? ?\bafter (?:a|some) (?P<what>while|moment|time)\b,?")


def plan(sentence: str, known: Collection[str] = ()) -> Plan:
    """What a sentence asks for, step by step.

    Args:
        sentence: one or several English sentences about one person.
        known: captions that one clip of the training data answers, in lower case without a final full stop: such a
            sentence stays one step even where the rules would cut it.
    Returns: Plan; never without a step.
    """
    sentence = " ".join(sentence.split())
    if sentence.lower().rstrip(".!") in known:
        return Plan(sentence, (Step(sentence),))
    warnings: list[str] = []
    actions, negated = _actions(sentence, warnings)
    if not actions:
        if not negated:
            return Plan(sentence, (Step(sentence),))
        subject = wording.subject_and_rest(tokens(sentence))[0]
        who = " ".join(subject)
        if not subject or who in PRONOUNS or who.startswith(("no ", "nobody", "none", "neither")):
            who = SOMEONE
        actions = [Action(who, negation.STILL, "stand", "", changed=True, who=_with_article(who))]
    return Plan(sentence, tuple(_steps(at_once(actions), sentence)), tuple(dict.fromkeys(warnings)))


def arms_alone(sentence: str) -> bool:
    """Whether one action is asked for that leaves the legs free: waves, raises a hand, claps.

    Args:
        sentence: in English.
    """
    verb = verb_of(sentence)
    return verb is not None and is_kind(verb, "arms") and len(plan(sentence).steps) == 1


def verb_of(sentence: str) -> str | None:
    """The base form of a sentence's verb, or None."""
    return wording.lemma_of(wording.subject_and_rest(tokens(sentence))[1])


def _actions(sentence: str, warnings: list[str]) -> tuple[list[Action], bool]:
    """The actions in order, and whether something was negated."""
    result: list[Action] = []
    who, negated = "", False
    for clause in split(sentence):
        obeyed = negation.obey(clause.text)
        warnings += obeyed.warnings
        negated |= obeyed.text != clause.text
        if obeyed.text is None:
            who = who or _named(wording.subject_and_rest(clause.words)[0])
            if not obeyed.still:
                continue
        text = negation.STILL if obeyed.text is None else obeyed.text
        changed = text != clause.text or clause.alone
        text, delay = _delay(text)
        action = _action(tokens(text), clause.link if result else "", who, result, warnings)
        if delay is not None:
            _wait(delay, result, action, who)
        if action is None:
            continue
        action.changed |= changed or delay is not None
        who = action.who
        result += _there_and_back(action, result)
    if negated and result:
        result[0].changed = True
    if len({a.who for a in result}) > 1 and result[0].who == SOMEONE and not result[0].subject:
        for action in result:  # "while walking, the man waves": who it is was told later
            action.who = who if action.who == SOMEONE else action.who
    return result, negated


def _action(words: list[str], link: str, who: str, so_far: list[Action], warnings: list[str]) -> Action | None:
    """Read one clause; None where it holds no action of its own."""
    text, seconds = quantities.take_seconds(" ".join(words))
    text, count = quantities.take_count(text)
    text, tempo = quantities.take_slow_motion(text)
    taken = text.split() != words
    text = re.sub(r"^\s*of\b", "", text)
    own, rest = wording.subject_and_rest(text.split())
    if so_far and (not rest or rest[0] in ("repeat", "repeats") or text.strip(" ,") == ""):
        so_far[-1].seconds = so_far[-1].seconds if seconds is None else seconds
        so_far[-1].repeats += 0 if count is None else count if rest else count - 1
        so_far[-1].changed = True
        return None
    named = _named(own)
    subject = " ".join(own)
    verb = wording.lemma_of(rest)
    be = bool(rest) and any(word in ("is", "are", "was", "were") for word in rest[:2])
    if verb is None and not be:
        noun = wording.nominal(text.split())
        if noun is not None and (stepping := quantities.take_steps(text))[1] is not None:
            noun, seconds = ["walks", *stepping[0].split()], seconds or stepping[1]
        completed = None if noun or not so_far else wording.ellipsis(text.split(), so_far[-1].text)
        if noun is None and completed is None:
            if so_far:
                return None
            return Action("", tidied(text), "", link, seconds, count or 1, None, tempo, taken, who=named or SOMEONE)
        rest = noun if noun else (completed or "").split()
        subject, taken = "", True
        verb = wording.lemma_of(rest)
    verb = verb or "be"
    said = " ".join(rest)
    stepped = None
    if count is None and (is_kind(verb, "travel") or verb in ("take", "make", "do")):
        shorter, stepped = quantities.take_steps(said)
        if stepped is not None and (verb in ("take", "make", "do")):
            shorter = re.sub(r"\b(?:t[ao]k(?:es?|ing)|took|mak(?:es?|ing)|made|does|do)\b", "walks", shorter, count=1)
            verb = "walk"
        if stepped is None and is_kind(verb, "travel"):
            shorter, stepped = quantities.take_distance(shorter, verb in FAST_ALREADY or verb == "jog")
        said, taken = shorter, taken or stepped is not None
    if count is None and stepped is None:
        said, count = wording.counted(said)
        taken |= count is not None
    verb = wording.lemma_of(said.split()) or verb
    turns = is_kind(verb, "turn") or re.search(r"\bturn(?:s|ing)?\b", said) is not None
    before = said.split()
    said, route, shape, used = routes.take_route(said, is_kind(verb, "travel"), turns, count)
    taken |= said.split() != before
    if shape is not None:
        warnings.append(f"no route is known for 'in a {shape}'; give it as several steps, or as a circle")
    count = None if used else count
    if count is not None and count > MOST_REPEATS:
        warnings.append(f"{count} times are too many for one clip; it is done {MOST_REPEATS} times")
        count = MOST_REPEATS
    verb = wording.lemma_of(said.split()) or verb
    place = wording.verb_place(said.split())
    form = next((f.form for f in forms().get(said.split()[place], ())), "third") if place is not None else "third"
    tempo = tempo if tempo is not None else _tempo(said, verb)
    who = named or who or SOMEONE
    return Action(
        subject, tidied(said), verb, link, seconds if seconds is not None else stepped, count or 1, route, tempo, taken,
        _plural(who), form, who,
    )  # fmt: skip


def _steps(groups: list[list[Action]], sentence: str) -> list[Step]:
    """The steps of groups of actions that happen at once."""
    alone = len(groups) == 1 and not any(action.changed for action in groups[0])
    alone &= len(groups[0]) == 1 or any(action.subject for action in groups[0])
    steps = []
    for group in groups:
        if alone:
            text = sentence
        else:
            text = _joined(group, as_written=len(groups) == 1)
        pair = upper_and_lower(group)
        steps.append(
            Step(
                text,
                next((a.seconds for a in group if a.seconds is not None), None),
                max(a.repeats for a in group),
                next((a.route for a in group if a.route is not None), None),
                next((a.tempo for a in group if a.tempo is not None), None),
                () if pair is None else tuple(action.present() for action in pair),
            )
        )
    return steps


def _joined(group: list[Action], as_written: bool) -> str:
    """One sentence for what happens at once."""
    main, others = group[0], group[1:]
    if others and others[0].link == "opened":
        main, others = others[0], [group[0]]
    text = main.spoken() if as_written else main.present()
    for other in others:
        joiner = JOINERS.get(other.link, ", ")
        own = f"{other.subject} " if other.link == "as" and other.subject else ""
        text += joiner + own + other.text
    return tidied(text)


def _there_and_back(action: Action, so_far: list[Action]) -> list[Action]:
    """`walks back and forth`, and `walks back` after something: there, around, and forward again."""
    half = Route("turn", "left", 180.0)
    around = Action("", "turns around", "turn", "then", route=half, changed=True, who=action.who)
    around.plural = action.plural
    text = action.text
    if action.verb in RETURNS and (match := re.search(r"\b(?:back and forth|to and fro|there and back)\b", text)):
        there = replace(action, text=tidied(text[: match.start()] + "forward" + text[match.end() :]), changed=True)
        return [there, around, replace(there, link="then")]
    returns = action.verb in RETURNS and re.search(r"\bback(?: again)?\b(?! and)", text)
    if not so_far or not returns or action.link in ("while", "participle", "also", "as", "opened"):
        return [action]
    there = replace(action, text=tidied(re.sub(r"\b(?:forwards? )?back(?: again)?\b", "forward", text)), changed=True)
    last = so_far[-1].route
    turned = last is not None and last.kind == "turn" and last.degrees == 180
    return [there] if turned else [around, replace(there, link="then")]


def _wait(delay: float, so_far: list[Action], action: Action | None, who: str) -> None:
    """`after three seconds`: the action before lasts so long, or the person stands still until then."""
    if so_far and so_far[-1].seconds is None:
        so_far[-1].seconds, so_far[-1].changed = delay, True
        return
    who = who or (SOMEONE if action is None else action.who)
    so_far.append(Action("", negation.STILL, "stand", "then" if so_far else "", delay, changed=True, who=who))
    if action is not None:
        action.link = "then"


def _delay(text: str) -> tuple[str, float | None]:
    if match := _DELAY.search(text):
        value = quantities.number(match["n"]) * (60.0 if match["unit"].startswith("min") else 1.0)
        return quantities.cut(text, match), value
    if match := _LATER.search(text):
        return quantities.cut(text, match), 2.0 if match["what"] == "moment" else 6.0
    return text, None


def _tempo(text: str, verb: str) -> float | None:
    tempo = quantities.tempo_of(text)
    if is_kind(verb, "stop") or verb in ("stand", "be") or (tempo is not None and tempo > 1 and verb in FAST_ALREADY):
        return None
    return tempo


def _named(subject: list[str]) -> str:
    """The subject to repeat: "" for a pronoun or none."""
    if not subject or subject[0] in ("no", "nobody", "none", "neither"):
        return ""
    if len(subject) == 1 and subject[0] in PRONOUNS | {"one", "i", "you", "we"}:
        return ""
    return _with_article(" ".join(subject))


def _with_article(subject: str) -> str:
    return f"a {subject}" if subject in BARE else subject


def _plural(who: str) -> bool:
    return who.split()[-1:] != [] and who.split()[-1] in MANY
