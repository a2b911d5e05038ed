"""Inflection of English verb phrases for the corpus: third person, -ing form, past."""

from __future__ import annotations

import re

THIRD = {"be": "is", "have": "has"}
GERUND = {
    "squat": "squatting", "begin": "beginning", "backpedal": "backpedalling", "goose-step": "goose-stepping",
}  # fmt: skip
PAST = dict(pair.split("=") for pair in (
    "be=was have=had do=did go=went get=got take=took make=made give=gave say=said stand=stood sit=sat lie=lay "
    "run=ran rise=rose fall=fell hold=held keep=kept come=came put=put throw=threw catch=caught shoot=shot "
    "draw=drew hit=hit strike=struck swing=swung spring=sprang leap=leapt kneel=knelt creep=crept swim=swam "
    "fly=flew drive=drove ride=rode drink=drank eat=ate dig=dug blow=blew cut=cut bend=bent lean=leaned sink=sank "
    "begin=began break=broke set=set let=let lay=laid speak=spoke tell=told hear=heard shake=shook spin=spun "
    "sing=sang fight=fought steal=stole slide=slid bring=brought find=found feel=felt lose=lost read=read send=sent "
    "shut=shut sleep=slept spread=spread stick=stuck sweep=swept teach=taught tear=tore think=thought wear=wore "
    "win=won wind=wound write=wrote cast=cast hurl=hurled bear=bore ring=rang build=built weep=wept slink=slunk "
    "freeze=froze pitch=pitched sling=slung sow=sowed split=split fell=felled burst=burst hang=hung quit=quit beat=beat"
).split())  # fmt: skip


def third(verb: str) -> str:
    """Third person singular (also the regular plural) of a verb phrase's first word."""
    head, _, tail = verb.partition(" ")
    if head in THIRD:
        head = THIRD[head]
    elif re.search(r"(s|x|z|ch|sh|o)$", head):
        head += "es"
    elif re.search(r"[^aeiou]y$", head):
        head = head[:-1] + "ies"
    else:
        head += "s"
    return f"{head} {tail}".strip()


def gerund(verb: str) -> str:
    """-ing form of a verb phrase's first word."""
    head, _, tail = verb.partition(" ")
    if head in GERUND:
        head = GERUND[head]
    elif head.endswith("ie"):
        head = head[:-2] + "ying"
    elif head.endswith("e") and not head.endswith(("ee", "oe", "ye")) and len(head) > 2:
        head = head[:-1] + "ing"
    elif re.search(r"^[^aeiou]*[aeiou][bdgmnprt]$", head):
        head += head[-1] + "ing"
    else:
        head += "ing"
    return f"{head} {tail}".strip()


def past(verb: str) -> str:
    """Past form of a verb phrase's first word."""
    head, _, tail = verb.partition(" ")
    if head in PAST:
        head = PAST[head]
    elif head.endswith("e"):
        head += "d"
    elif re.search(r"[^aeiou]y$", head):
        head = head[:-1] + "ied"
    elif re.search(r"^[^aeiou]*[aeiou][bdgmnprt]$", head) or head in ("squat", "backpedal", "goose-step"):
        head += head[-1] + "ed"
    else:
        head += "ed"
    return f"{head} {tail}".strip()
