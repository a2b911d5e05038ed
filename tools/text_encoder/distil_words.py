"""The words of the corpus's templates, and which of them mean nearly the same: our own lists."""

from __future__ import annotations

# The words of the templates -----------------------------------------------------------------------------------

SUBJECTS = (
    "a person|a person|a person|the person|someone|a man|a woman|a guy|a lady|a figure|the figure|the character|"
    "a child|a boy|a girl|a kid|a toddler|a teenager|an adult|a pensioner|a grandmother|a grandfather|an old man|"
    "an old woman|an elderly person|a senior|a giant|an ogre|a troll|a hooligan|a thug|a gangster|a bully|a dancer|"
    "an athlete|a soldier|a worker|a robot|a zombie|the actor|the performer|a human|the subject|she|he|they|it|"
    "a patient|a drunk|a king|a champion|a warrior|a fighter|a clown|a musician|a servant|a butler|a usher|a hero"
).split("|")
TRAVEL = (
    "walk|walk|stroll|amble|stride|march|saunter|wander|pace|step|trudge|plod|shuffle|tiptoe|strut|swagger|hobble|"
    "limp|stagger|stumble|hike|roam|tread|creep|sneak|waddle|wade|trek|parade|promenade|meander|drift|toddle|lumber|"
    "run|run|jog|sprint|dash|race|gallop|trot|rush|hurry|bolt|hurtle|speed|charge|scurry|scamper|bound|dart|flee|"
    "skip|hop|jump|leap|crawl|move|go|advance|proceed|travel|slide|dance|skate|slip|glide"
).split("|")
SLOW, FAST = "walk|stroll|amble|pace|march|step|saunter".split("|"), "run|jog|sprint|dash|race|rush|gallop".split("|")
TURN = "turn|swivel|veer|swerve|curve|rotate|pivot|spin|wheel|bend|swing|twist|circle|steer|deviate|arc".split("|")
SIDES = (
    ("to the left", "to the right"), ("left", "right"), ("to its left", "to its right"),
    ("to his left", "to his right"), ("to her left", "to her right"), ("leftward", "rightward"),
    ("leftwards", "rightwards"), ("towards the left", "towards the right"), ("toward the left", "toward the right"),
    ("to the left side", "to the right side"), ("on the left", "on the right"), ("counterclockwise", "clockwise"),
    ("sideways to the left", "sideways to the right"), ("off to the left", "off to the right"),
)  # fmt: skip
WAYS = (
    ("forward", "backward"), ("forwards", "backwards"), ("ahead", "back"), ("straight ahead", "in reverse"),
    ("forward", "in reverse"), ("to the front", "to the rear"), ("onward", "rearward"), ("frontwards", "rearwards"),
)  # fmt: skip
LIMBS = "hand|hand|arm|arm|palm|fist|wrist|elbow|forearm|shoulder|leg|foot|knee|finger|thumb|heel|hip|ankle".split("|")
UP = "raise|lift|hold up|put up|throw up|hoist|elevate|stretch up|reach up with|push up|bring up|thrust up".split("|")
DOWN = "lower|drop|put down|bring down|let down|rest|relax".split("|")
WAVES = (
    "wave|wave goodbye with|wave hello with|shake|swing|flap|wag|flutter|beckon with|greet with|signal with|salute with"
    "|gesture with|say bye with|flourish|move|point with|motion with"
).split("|")
OTHER = (
    "bow|bow down|bend over|bend forward|bend at the waist|bow politely|curtsy|stoop|nod|kneel|punch|box|jab|hit|"
    "throw a punch|strike with a fist|strike|kick|kick a ball|kick with the {side} leg|punch with the {side} fist|"
    "strike with the {side} hand|kick high|slash|slash with a sword|swing a sword|cut|slice|chop|hack|swipe|stab|"
    "dance|dance to music|perform a dance|twirl|groove|sway|do ballet|waltz|guide|show the way|guide someone|"
    "usher someone in|gesture|make a gesture|make a guiding gesture|point the way|direct|point ahead|lead the way|"
    "invite someone in|call|call out|shout|answer|respond|reply|raise both hands|wave both hands|raise both arms|"
    "wave both arms|lift both hands overhead|put the hands up|throw the arms in the air|wave goodbye|say goodbye|"
    "wave hello|greet|clap|salute|jump|sit down|stand up|stand still|stretch|climb|drink|wash|laugh|squat|lie down|"
    "get up|fall|catch|throw|carry|push|pull|turn around|look around|balance|cheer|surrender|celebrate|box|fence"
).split("|")
MANNERS = (
    "energetically|actively|vigorously|briskly|lively|full of energy|with vigour|"
    "with a lot of energy|like an old person|"
    "like an elderly person|like a grandparent|like a pensioner|with a frail body|feebly|weakly|"
    "with a hunched back|tiredly|"
    "wearily|exhaustedly|exhausted|worn out|out of breath|with fatigue|in a feminine manner|"
    "in a feminine way|like a woman|"
    "gracefully|elegantly|ladylike|in a masculine manner|in a masculine way|like a man|manly|like a young person|"
    "youthfully|like a teenager|like a child|childishly|playfully|like a little kid|like a giant|"
    "heavily|like a monster|"
    "like a street thug|like a hoodlum|like a gangster|aggressively|threateningly|menacingly|"
    "rhythmically|to the beat|"
    "to the music|in rhythm|timidly|shyly|nervously|anxiously|hesitantly|fearfully|"
    "without confidence|unsure of himself|"
    "proudly|arrogantly|confidently|boldly|with pride|haughtily|sadly|sorrowfully|gloomily|"
    "depressed|with a heavy heart|"
    "in tears|happily|joyfully|cheerfully|gladly|in a good mood|with joy|angrily|furiously|madly|"
    "in a rage|with anger|"
    "slowly|quickly|fast|carefully|calmly|casually|normally|lazily|drunkenly|quietly|stiffly|softly|smoothly"
).split("|")
EXTRAS = (
    "in a circle|in place|in a straight line|around|along|up the stairs|twice|again|across the room|for a while"
).split("|")

# Words that mean nearly the same: the plain wording of the corpus, and its synonyms ------------------------------

STYLES: dict[str, str] = {
    "": "normally|casually",
    "energetically": "energetically|actively|vigorously|briskly|lively|full of energy|with vigour|with a lot of energy",
    "like an old person": "like an old person|like an elderly person|like a grandparent|like a pensioner|feebly|"
    "with a frail body|with a hunched back",
    "tiredly": "tiredly|wearily|exhaustedly|exhausted|worn out|out of breath|with fatigue|weakly",
    "in a feminine manner": "in a feminine manner|in a feminine way|like a woman|gracefully|elegantly|ladylike",
    "in a masculine manner": "in a masculine manner|in a masculine way|like a man|manly",
    "like a young person": "like a young person|youthfully|like a teenager",
    "like a child": "like a child|childishly|playfully|like a little kid",
    "like a giant": "like a giant|heavily|like a monster",
    "like a street thug": "like a street thug|like a hoodlum|like a gangster|aggressively|threateningly|menacingly",
    "rhythmically": "rhythmically|to the beat|to the music|in rhythm",
    "timidly": "timidly|shyly|nervously|anxiously|hesitantly|fearfully|without confidence|unsure of himself",
    "proudly": "proudly|arrogantly|confidently|boldly|with pride|haughtily",
    "sadly": "sadly|sorrowfully|gloomily|depressed|with a heavy heart|in tears",
    "happily": "happily|joyfully|cheerfully|gladly|in a good mood|with joy",
    "angrily": "angrily|furiously|madly|in a rage|with anger",
    "slowly": "slowly|in slow motion|at a slow pace|unhurriedly|leisurely|very slowly",
    "quickly": "quickly|fast|rapidly|swiftly|hastily|hurriedly|in a hurry|at high speed|very fast",
    "drunkenly": "drunkenly|like a drunk|tipsily|as if drunk|like a drunkard",
    "sneakily": "sneakily|stealthily|secretly|furtively|quietly|without a sound",
    "like a zombie": "like a zombie|like the undead|like a walking corpse|zombie-like",
    "like a robot": "like a robot|robotically|stiffly|mechanically",
    "carefully": "carefully|cautiously|warily|gingerly",
    "calmly": "calmly|peacefully|in a relaxed way|softly|gently|serenely",
    "lazily": "lazily|sluggishly|listlessly",
}
STYLE_OF = {word: style for style, words in STYLES.items() for word in words.split("|")}
WHO = {
    "like an old person": "pensioner|grandmother|grandfather|old man|old woman|elderly person|senior",
    "like a child": "child|boy|girl|kid|toddler", "like a young person": "teenager", "like a giant": "giant|ogre|troll",
    "like a street thug": "hooligan|thug|gangster|bully", "like a zombie": "zombie", "like a robot": "robot",
    "drunkenly": "drunk|drunkard", "sneakily": "thief|burglar",
}  # fmt: skip
STYLE_OF_WHO = {word: style for style, words in WHO.items() for word in words.split("|")}
# Adjectives of a subject that carry a style ("a furious man").
ADJECTIVES: dict[str, str] = {
    "energetically": "energetic|lively", "like an old person": "old|elderly|aged|frail",
    "tiredly": "tired|exhausted|weary|sleepy", "in a feminine manner": "graceful|elegant|ladylike",
    "in a masculine manner": "macho|manly|masculine", "like a young person": "youthful",
    "like a child": "childish|playful", "like a giant": "huge|gigantic|enormous",
    "like a street thug": "menacing|threatening|aggressive", "timidly": "nervous|shy|timid|anxious|scared|frightened",
    "proudly": "proud|arrogant|confident|haughty", "sadly": "sad|unhappy|heartbroken|depressed|miserable",
    "happily": "happy|cheerful|joyful|merry|glad", "angrily": "angry|furious|enraged|mad",
    "drunkenly": "drunk|drunken|tipsy", "sneakily": "sneaky|stealthy", "carefully": "careful|cautious",
    "calmly": "calm|relaxed", "lazily": "lazy|sluggish",
}  # fmt: skip
EVERYDAY_SUBJECTS = (
    "someone|somebody|a man|a woman|the man|the woman|a guy|a girl|a boy|he|she|the person|this person|a human|"
    "the character|the figure|a figure|the player|a young man|a young woman|a lady|one person|an individual|"
    "a character|the actor|the girl|the boy|the guy|a stick figure|a mannequin|my character|an adult|a player"
).split("|")
ROLES = (
    "policeman|policewoman|nurse|doctor|teacher|student|pupil|dancer|athlete|boxer|runner|soldier|knight|wizard|witch|"
    "ninja|samurai|pirate|cowboy|chef|cook|waiter|waitress|farmer|fisherman|worker|builder|carpenter|mechanic|pilot|"
    "driver|singer|musician|priest|monk|king|queen|princess|prince|hero|heroine|villain|robot|alien|ghost|vampire|"
    "monster|baby|child|kid|toddler|mother|father|dad|mum|grandfather|grandmother|brother|sister|friend|neighbour|guest|"
    "customer|tourist|hiker|swimmer|gymnast|acrobat|skater|player|footballer|goalkeeper|goalie|referee|coach|thief|"
    "burglar|guard|officer|sailor|hunter|archer|warrior|gladiator|viking|barbarian|fighter|wrestler|karateka|bandit|"
    "servant|butler|maid|actor|actress|clown|patient|drunk|zombie|teenager|old man|old woman|old lady|captain|sheriff|"
    "fan|spectator|visitor|host|boss|clerk|gardener|lumberjack|miner|blacksmith|postman|courier|mover|superhero|giant|"
    "elf|dwarf|orc|goblin|mage|cleric|commuter|shopper|hostess|pedestrian|weightlifter|pitcher|conductor|recruit"
).split("|")
PLACES = (
    "in the park|in the street|on the street|at home|in the kitchen|in the garden|on the beach|in the gym|on stage|"
    "at the party|in the office|on the grass|in the snow|in the rain|at the bus stop|at school|outside|in the room|"
    "in the hall|on the pavement|in the corridor|near the door|next to the table|in front of the mirror|at night|"
    "in front of the camera|in the morning|after work|alone|with a friend|on the battlefield|in the forest|"
    "at the station|in the yard|by the river|for fun|for a moment|for a long time|once more|on the field|in the ring|"
    "in the arena|before the match|at the end|all day|on a sunny day|without a word|in the dark|in the shop"
).split("|")
THINGS = (
    "a ball|a stone|a rock|a box|a bag|a crate|a bottle|a cup|a book|a chair|a suitcase|a parcel|a stick|a bucket|"
    "an apple|a coin|the keys|a phone|a hat|a toy|a plate|a log|a basket|a heavy sack|a tray|an object|a thing|a table|"
    "a backpack|a piece of paper|a pen|a barrel|a cart|the laundry|a football|the rubbish"
).split("|")
FOES = (
    "an enemy|an opponent|the opponent|a stranger|the attacker|a man|the villain|a dragon|a monster|the target|a thief|"
    "the other fighter|an intruder|a bad guy|the enemy|a zombie|an orc|the air|a soldier"
).split("|")
NUMBERS = "two|three|four|five|six|seven|eight|ten|2|3|4|5|6|10".split("|")
TIMES = "once|twice|three times|four times|five times|a few times|several times|many times|2 times|3 times".split("|")
# Actions that motion must keep apart, by their plain wordings.
CONTRASTS = tuple(tuple(row.split("|")) for row in (
    "sits down|stands up|stands still|sits", "stands up|gets up from the ground|stands still",
    "kicks|punches|slashes|stabs with a sword", "slashes with a sword|stabs with a sword|chops down with an axe",
    "kicks with the {side} leg|punches with the {side} fist|strikes with the {side} elbow",
    "raises the {side} arm to block|punches with the {side} fist|raises the {side} hand|waves the {side} hand",
    "raises the {side} hand|lowers the {side} arm|thrusts the {side} hand forward|points with the {side} hand",
    "walks forward|walks backward|runs|runs backward", "walks forward|jogs|runs|sprints",
    "walks forward|runs|stops walking|starts walking|stands still", "stops walking|starts walking|starts running",
    "walks forward|walks in place|walks in a circle", "runs|runs in place|runs in a circle",
    "jumps|jumps forward|jumps up and down on the spot|hops on one leg", "jumps|hops on one leg|walks forward|skips",
    "crouches|kneels|crawls|lies on the ground", "crouches|walks forward in a crouch|kneels|sits",
    "picks something up from the ground|puts something down|throws something|lifts something heavy",
    "throws something|catches something|pushes something heavy forward|pulls something",
    "waves|claps their hands|points forward|beckons|salutes", "cheers with both arms up|claps their hands|waves",
    "lies down|gets up from the ground|falls to the ground|lies on the ground",
    "falls forward|falls backward|does a forward roll|stumbles", "sits|lies on the ground|kneels|sits cross-legged",
    "does a backflip|does a cartwheel|does a forward roll|spins on the spot",
    "turns to the {side}|walks and turns {side}|walks to the {side}|jumps and turns to the {side}",
    "turns around|spins on the spot|turns to the {side}|walks in a circle",
    "nods their head|shakes their head|looks around|bows", "looks up|looks down|looks around",
    "pushes something heavy forward|pulls something|walks carrying something|stands holding something",
    "shoots a gun|shoots a bow|aims a gun|reloads a weapon", "casts a spell|heals someone|gathers power|shoots a gun",
    "stands ready to fight|blocks an attack|dodges backward|is hit and staggers",
    "dodges to the {side}|dodges backward|runs to the {side} side", "dances|breakdances|dabs|claps their hands",
    "drinks|eats|talks on the phone|blows a horn", "walks forward|limps|staggers drunkenly|walks like a zombie",
    "walks forward|tiptoes|walks forward in a crouch|marches", "swims|flies forward|floats in the air|crawls|climbs",
    "hoes the ground|mines rock with a pickaxe|chops wood|hammers", "sows seed|gathers fruit|fishes with a net",
    "stands still|stands and talks|stands and listens|stands and looks bored|looks around",
    "walks up the stairs|walks down the stairs|climbs", "does push-ups|does jumping jacks|crouches|stretches both arms",
    "kicks|jumps|walks forward|stumbles", "rows a boat|drives a car|swims",
))  # fmt: skip
# A verb of OTHER -> its plain wording, where the rows of the actions (distil_actions) do not know it.
OTHERS = (
    ("bow|bow down|bend over|bend forward|bend at the waist|bow politely|curtsy|stoop", "bows"),
    ("punch|box|jab|hit|throw a punch|strike with a fist|strike|punch with the {side} fist|"
     "strike with the {side} hand", "punches"),
    ("dance|dance to music|perform a dance|twirl|groove|sway|do ballet|waltz", "dances"),
    ("guide|show the way|guide someone|usher someone in|make a guiding gesture|point the way|direct|lead the way|"
     "invite someone in", "makes a guiding gesture"),
    ("raise both hands|raise both arms|lift both hands overhead|put the hands up|throw the arms in the air|surrender",
     "raises both hands"),
    ("wave both hands|wave both arms", "waves both hands"),
    ("call|call out|shout", "calls"), ("answer|respond|reply", "responds"),
)  # fmt: skip
PLAIN_OTHER = {verb: plain for verbs, plain in OTHERS for verb in verbs.split("|")}
