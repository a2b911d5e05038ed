"""What must not happen: obeyed by leaving it out or by its opposite, or said to be beyond the rules."""

from __future__ import annotations

import re
from dataclasses import dataclass

from laban.language.inflection import singular, third_person
from laban.language.lexicon import lemma

STILL = "stands still"
_SIDES = {"left": "right", "right": "left"}
_LIMB = r"(?:hand|arm|fist|palm|leg|foot|knee|elbow|wrist)"
_BEFORE_VERB = re.compile(
    r"\b(?:(?:does|do|did|is|are|was|were|will|would|can|could|has|have|must|should) (?:not|never)|never|no longer"
    r"|not|hardly|barely|scarcely)(?: \w+ly)?(?: (?:even|ever|at all|yet))? (?P<verb>[a-z-]+)(?P<rest>.*)$"
)
_BUT = re.compile(
    r"\b(?:does|do|did) not (?P<verb>[a-z]+) .*?\bbut (?P<yes>(?:the|his|her|their|its|with|to|a|both|left|right)\b.*)$"
)
_FAILS = re.compile(r"\b(?:fails? to|refuses? to|declines? to|avoids?|forgets? to|(?:is|are|was) unable to|resists?)\b")
_INSTEAD = re.compile(r",? ?\b(?:instead of|rather than) [a-z]+ing\b[^,]*")
_WITHOUT = re.compile(r",? ?\b(?:and |but )?without (?:ever |even )?(?P<what>[^,]*)")
_NOT_SIDE = re.compile(
    rf",? ?(?:\b(?:and|but) )?\bnot (?P<with>with |using |on )?(?:the |his |her |their |its )?(?P<side>left|right)"
    rf"(?: (?P<limb>{_LIMB}|one))?\b"
)
_NOT_ADVERB = re.compile(
    r",? ?(?:\b(?:and|but) )?\bnot (?:very |too |so |that )*(?:[a-z]+ly|fast|slow|far|high|hard|much)\b"
)
_NO_NOUN = re.compile(r",? ?\bwith no (?P<what>[^,]*)")
_NEITHER = re.compile(r"\b(?:neither|no) (?:\w+ )?(?:hands?|arms?|legs?|foot|feet)\b")
_NOBODY = re.compile(r"^(?:no one|nobody|none)\b")
_LEFT_OVER = re.compile(r",? ?(?:\b(?:and|but) )?\b(?:not|never|without|neither|nor|nobody|no)\b.*$")
_ALLOWED = re.compile(r"\bwithout confidence\b|\bhead no\b|\bnods? no\b|\bsays? no\b|\bno\.? ?$")
# What the body does on its own in most actions: to leave the words out does not keep it from happening.
ALWAYS = frozenset("move swing use bend look touch blink breathe step lift".split())


@dataclass(frozen=True)
class Obeyed:
    """A clause's text without its negations; None: nothing of it is to be done. `still`: stand still in its place."""

    text: str | None
    still: bool = False
    warnings: tuple[str, ...] = ()


def obey(text: str) -> Obeyed:
    """Take the negations out of one clause."""
    text = _INSTEAD.sub("", text)
    warnings: list[str] = []
    if nobody := _NOBODY.search(text):
        return Obeyed(None, True, (f"{nobody[0]!r}: there is always one person, who stands still here",))
    if fails := _FAILS.search(text):
        what = text[fails.start() :]
        return Obeyed(None, False, (f"{what!r} cannot be shown, so it is left out",))
    text = _sides(text)
    text = _NOT_ADVERB.sub("", text)
    text, still, told = _without(text)
    warnings += told
    if still:
        return Obeyed(None, True, tuple(warnings))
    if match := _NO_NOUN.search(text):
        if not re.search(_LIMB + r"|feet", match["what"]):
            warnings.append(f"{match[0].strip(' ,')!r} cannot be promised, so it is left out")
        text = text[: match.start()] + text[match.end() :]
    if _NEITHER.search(text) and not _ALLOWED.search(text):
        return Obeyed(None, False, tuple(warnings))
    if match := _BUT.search(text):
        base = lemma(match["verb"])
        if base is not None:
            return Obeyed(f"{text[: match.start()]} {third_person(base)} {match['yes']}", False, tuple(warnings))
    if match := _BEFORE_VERB.search(text):
        verb = lemma(match["verb"])
        if verb is not None:
            still_only = re.match(r"^(?: at all| again| any ?more| once)*(?: for .*| \d.*)?$", match["rest"])
            if verb == "move" and still_only:
                rest = re.sub(r"\b(?:at all|again|any ?more)\b", "", match["rest"])
                return Obeyed(f"{text[: match.start()]} {STILL} {rest}".strip(), False, tuple(warnings))
            if verb in ("move", "bend", "swing"):
                warnings.append(f"{match[0]!r} cannot be promised, so it is left out")
            return Obeyed(None, False, tuple(warnings))
    if not _ALLOWED.search(text) and (match := _LEFT_OVER.search(text)):
        warnings.append(f"{match[0].strip(' ,')!r} is beyond the rules for negation, so it is left out")
        text = text[: match.start()]
        if not text.strip():
            return Obeyed(None, False, tuple(warnings))
    return Obeyed(" ".join(text.split()), False, tuple(warnings))


def _sides(text: str) -> str:
    """`waves, but not with the right hand` -> `waves with the left hand`."""
    match = _NOT_SIDE.search(text)
    if match is None:
        return text
    rest = text[: match.start()] + text[match.end() :]
    other = _SIDES[match["side"]]
    if re.search(rf"\b{other}\b|\bboth\b", rest):
        return re.sub(r"\bboth (hand|arm|leg)s\b", rf"the {other} \1", rest)
    limb = match["limb"] if match["limb"] not in (None, "one") else "hand"
    return f"{text[: match.start()]} {match['with'] or 'with '}the {other} {limb}{text[match.end() :]}"


def _without(text: str) -> tuple[str, bool, list[str]]:
    """Cut `without ...` out; True where it means to stand still."""
    match = _WITHOUT.search(text)
    if match is None or match["what"].startswith("confidence"):
        return text, False, []
    said = match["what"].split()
    rest = text[: match.start()] + text[match.end() :]
    verb = lemma(said[0]) if said else None
    if verb == "move" and (len(said) == 1 or said[1] in ("at", "for")):
        still = re.search(r"\b(?:stands?|waits?|stays?|remains?|idles?|pauses?|is)\b", rest) is not None
        if still:
            return rest, True, []
        return rest, False, [f"{match[0].strip(' ,')!r} cannot be promised, so it is left out"]
    if said and (verb in ALWAYS or verb is None):
        named = {singular(word) for word in said[1:]}
        if verb == "lift" and not named & {"foot", "heel", "leg"}:
            return rest, False, []
        return rest, False, [f"{match[0].strip(' ,')!r} cannot be promised, so it is left out"]
    return rest, False, []
