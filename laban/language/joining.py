"""Which actions happen at once: walks and waves do, bows and waves do not."""

from __future__ import annotations

from laban.language.action import Action
from laban.language.lexicon import is_kind

# Verbs whose `A and B` is one action that clips show as one: bends down and picks something up.
PAIRS = frozenset(
    {
        ("bend", "pick"), ("bend", "grab"), ("bend", "lift"), ("bend", "gather"), ("squat", "pick"), ("squat", "lift"),
        ("crouch", "pick"), ("stoop", "pick"), ("kneel", "pick"), ("jump", "turn"), ("leap", "turn"), ("hop", "turn"),
        ("jump", "spin"), ("jump", "land"), ("leap", "land"), ("hop", "land"), ("jump", "grab"), ("jump", "flip"),
        ("raise", "wave"), ("lift", "wave"), ("raise", "shake"), ("hold", "wave"), ("dive", "roll"), ("aim", "shoot"),
        ("aim", "fire"), ("draw", "shoot"), ("load", "shoot"), ("dribble", "shoot"), ("dodge", "step"),
        ("reach", "grab"), ("reach", "touch"), ("clap", "cheer"), ("cheer", "wave"), ("bow", "curtsy"),
        ("sway", "stagger"), ("trip", "fall"), ("stumble", "fall"), ("slip", "fall"), ("raise", "lower"),
        ("crouch", "jump"), ("squat", "jump"), ("fall", "lie"), ("collapse", "lie"), ("sink", "fall"),
        ("raise", "cheer"),
        ("jump", "strike"), ("jump", "chop"), ("leap", "strike"), ("leap", "chop"), ("lunge", "stab"), ("raise", "aim"),
        ("raise", "strike"), ("raise", "thrust"), ("raise", "point"), ("run", "shoot"), ("run", "slash"),
        ("step", "sit"),
        ("talk", "move"), ("land", "straighten"), ("bend", "straighten"), ("lean", "look"),
    }
)  # fmt: skip
DOWN = frozenset("down up back".split())
# What ends a posture: stands and jumps are two.
MOVES = frozenset(
    "stand sit lie kneel rise get jump leap hop fall roll squat crouch bow dance collapse stop kick".split()
)


def at_once(actions: list[Action]) -> list[list[Action]]:
    """Groups of actions that happen at once, in order."""
    groups: list[list[Action]] = []
    for number, action in enumerate(actions):
        if groups and _joins(actions, number, groups[-1]):
            groups[-1].append(action)
        else:
            groups.append([action])
    return groups


def upper_and_lower(group: list[Action]) -> tuple[Action, Action] | None:
    """(what the legs do, what the arms do) of two actions at once, None where they need the same limbs."""
    if len(group) != 2 or group[0].who != group[1].who:
        return None
    first, second = group
    if _legs(first) and _arms(second):
        return first, second
    return (second, first) if _legs(second) and _arms(first) else None


def _joins(actions: list[Action], number: int, group: list[Action]) -> bool:
    action, last = actions[number], group[-1]
    if action.link in ("while", "as", "participle", "also", "opened"):
        return True
    if (last.verb, action.verb) in PAIRS and action.verb == "land":
        return True  # a jump and its landing are one action, whatever stands between
    if action.link not in ("and", "comma") or len(group) > 1 or _chain(actions, number) != 2:
        return False
    if action.seconds is not None or last.seconds is not None or action.repeats > 1 or last.repeats > 1:
        return False
    if action.link == "comma":
        return action.form == last.form == "gerund" and _legs(last) and _arms(action)
    if (last.verb, action.verb) in PAIRS:
        return True
    if is_kind(last.verb, "travel") and action.verb in ("turn", "veer", "swerve", "curve"):
        return action.route is None or (last.route is None and action.route.degrees != 180)
    if last.verb == "be" or (is_kind(last.verb, "posture") and _legs(last) and "still" not in last.text.split()):
        return action.verb not in MOVES and not is_kind(action.verb, "travel", "turn")
    return _legs(last) and _arms(action)


def _chain(actions: list[Action], number: int) -> int:
    """How many actions hang together by commas and `and` alone."""
    start = number
    while start and actions[start].link in ("and", "comma"):
        start -= 1
    end = number
    while end + 1 < len(actions) and actions[end + 1].link in ("and", "comma"):
        end += 1
    return end - start + 1


def _legs(action: Action) -> bool:
    """Goes somewhere, or keeps a posture: the arms are free."""
    if is_kind(action.verb, "travel"):
        return True
    behind = action.text.split()
    return is_kind(action.verb, "posture") and not DOWN & set(behind[1:3])


def _arms(action: Action) -> bool:
    return is_kind(action.verb, "arms")
