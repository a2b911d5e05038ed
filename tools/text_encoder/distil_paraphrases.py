"""Development list: paraphrases of motion captions, written for tuning the text encoder.

It is a development list, not a benchmark: conditioning was chosen on it. Each line is (text, content, style);
style "" means that the text names none.
"""

from __future__ import annotations

CONTENTS = (
    "a person walks forward", "a person walks backward", "a person walks to the left", "a person walks to the right",
    "a person walks and turns left", "a person walks and turns right", "a person runs", "a person sprints",
    "a person raises the left hand", "a person raises the right hand", "a person raises both hands",
    "a person waves the left hand", "a person waves the right hand", "a person waves both hands", "a person bows",
    "a person punches", "a person kicks", "a person makes a guiding gesture", "a person slashes", "a person dances",
)  # fmt: skip
STYLES = (
    "", "energetically", "like an old person", "tiredly", "in a feminine manner", "in a masculine manner",
    "like a young person", "like a child", "like a giant", "like a street thug", "rhythmically", "timidly",
    "proudly", "angrily", "happily", "sadly",
)  # fmt: skip
# Contents that differ in nothing but left and right.
SIDES = {2: 3, 3: 2, 4: 5, 5: 4, 8: 9, 9: 8, 11: 12, 12: 11}

# (text, index into CONTENTS, style)
PARAPHRASES: tuple[tuple[str, int, str], ...] = (
    ("someone ambles straight ahead", 0, ""),
    ("a man strides onward", 0, ""),
    ("she is pacing ahead", 0, ""),
    ("a woman saunters along", 0, ""),
    ("the figure retreats, stepping in reverse", 1, ""),
    ("he backs away slowly", 1, ""),
    ("the character steps rearward", 1, ""),
    ("a man ambles sideways, leftward", 2, ""),
    ("she strolls off towards her left", 2, ""),
    ("someone sidesteps rightward", 3, ""),
    ("the woman wanders off to her right side", 3, ""),
    ("the man strides along, then swivels left", 4, ""),
    ("he paces and curves leftward", 4, ""),
    ("she strolls ahead before veering left", 4, ""),
    ("a pedestrian ambles and rounds a corner on the left", 4, ""),
    ("the figure marches, swerving to the right", 5, ""),
    ("she strolls and pivots rightwards", 5, ""),
    ("he paces along and rotates clockwise", 5, ""),
    ("a girl jogs", 6, ""),
    ("the man is jogging along the track", 6, ""),
    ("the athlete bolts at full speed", 7, ""),
    ("someone dashes off as fast as possible", 7, ""),
    ("he lifts his left arm", 8, ""),
    ("the left palm goes up above the head", 8, ""),
    ("a woman holds her left fist high", 8, ""),
    ("she stretches her right arm upward", 9, ""),
    ("the student puts up the right arm", 9, ""),
    ("a guy hoists his right fist", 9, ""),
    ("he throws two arms up in the air", 10, ""),
    ("she lifts her arms overhead", 10, ""),
    ("the figure says hello with the left arm", 11, ""),
    ("he shakes his left palm in greeting", 11, ""),
    ("she greets a friend with her right arm", 12, ""),
    ("a man signals goodbye using the right arm", 12, ""),
    ("the woman swings her two arms to greet the crowd", 13, ""),
    ("a fan flaps both arms about", 13, ""),
    ("the butler bends at the waist respectfully", 14, ""),
    ("he stoops in polite greeting", 14, ""),
    ("the boxer throws a jab", 15, ""),
    ("she strikes with her fist", 15, ""),
    ("a footballer boots the ball", 16, ""),
    ("he hits out with his foot", 16, ""),
    ("the usher shows somebody the way", 17, ""),
    ("a host invites a visitor to come in", 17, ""),
    ("the samurai cuts with a sword", 18, ""),
    ("she swings a blade", 18, ""),
    ("a ballerina twirls to music", 19, ""),
    ("he grooves at the disco", 19, ""),
    ("a grandmother hobbles ahead", 0, "like an old person"),
    ("a pensioner strolls along with a cane", 0, "like an old person"),
    ("he trudges ahead, worn out", 0, "tiredly"),
    ("an exhausted woman jogs", 6, "tiredly"),
    ("she lifts her left arm wearily", 8, "tiredly"),
    ("he swivels left while strolling, full of vigour", 4, "energetically"),
    ("a furious man stomps ahead", 0, "angrily"),
    ("she jogs in a rage", 6, "angrily"),
    ("a heartbroken man ambles along", 0, "sadly"),
    ("in tears, she lifts her right arm", 9, "sadly"),
    ("a cheerful girl strolls ahead", 0, "happily"),
    ("he jogs, full of joy", 6, "happily"),
    ("he struts ahead, chest out, arrogant", 0, "proudly"),
    ("a nervous boy steps ahead", 0, "timidly"),
    ("a toddler ambles ahead", 0, "like a child"),
    ("an enormous ogre lumbers ahead", 0, "like a giant"),
    ("a hoodlum swaggers along", 0, "like a street thug"),
    ("she paces ahead in time with the beat", 0, "rhythmically"),
    ("he ambles along, ladylike", 0, "in a feminine manner"),
    ("a macho guy strides ahead", 0, "in a masculine manner"),
    ("a teenager jogs", 6, "like a young person"),
    ("an elderly man lifts his right arm", 9, "like an old person"),
)


def bank() -> list[tuple[str, int, str]]:
    """Every caption of the bank as (text, content index, style)."""
    return [
        (text + (f", {style}" if style else ""), content, style)
        for style in STYLES
        for content, text in enumerate(CONTENTS)
    ]
