"""Plain wordings and everyday synonyms: gestures, hands at work, sport and dance. For the form of a row see
distil_actions_move."""

ROWS: tuple[tuple[str, str, str], ...] = (
    # gestures
    ("wave", "waves the {side} hand",
     "wave the {side} hand|wave with the {side} hand|wave with {his} {side} arm|raise the {side} hand and *wave|"
     "wave {his} {side} hand|say hello with the {side} hand|greet someone with the {side} hand|"
     "lift {his} {side} arm and *wave|greet a friend with {his} {side} hand|wave goodbye with the {side} hand"),
    ("wave", "waves",
     "wave|wave hello|wave goodbye|wave at someone|say hello|say hi|greet someone|wave to a friend|"
     "wave {his} hand|give a wave|=a wave|wave to the crowd|say goodbye|bid farewell|hail a taxi"),
    ("wave", "waves both hands",
     "wave both hands|wave both arms|wave with both hands|wave {his} arms|wave the arms above the head|"
     "flag someone down with both arms"),
    ("raise-arm", "raises the {side} hand",
     "raise the {side} hand|raise {his} {side} arm|lift the {side} arm|put up the {side} hand|"
     "hold up {his} {side} hand|stretch the {side} arm up"),
    ("raise-arm", "raises both hands",
     "raise both hands|raise both arms|put {his} hands up|surrender|lift both arms overhead|hold both hands up|"
     "raise {his} arms|give up with hands in the air"),
    ("lower-arm", "lowers the {side} arm",
     "lower the {side} arm|lower the {side} hand|put the {side} arm down|let the {side} arm sink|"
     "drop {his} {side} hand|bring the {side} arm down"),
    ("clap", "claps their hands",
     "clap|clap {his} hands|applaud|give applause|clap {n} times|clap along|put {his} hands together in applause|"
     "give a round of applause|give an ovation|=applause|=clapping|clap with both hands|slap the palms together|"
     "applaud a singer|applaud the actors|clap for someone|clap to the music|clap wildly|"
     "show appreciation by clapping"),
    ("point", "points forward",
     "point|point forward|point at something|point at someone|point ahead|point a finger|"
     "point {his} finger at someone|point straight ahead|point with the index finger|indicate something ahead|"
     "show the direction|point with the right hand|aim a finger at something|point out something|"
     "point to the door|single someone out with a finger|show where to go|jab a finger at someone"),
    ("point", "points with the {side} hand",
     "point with the {side} hand|point with {his} {side} arm|point to the {side}|indicate with the {side} hand"),
    ("look-around", "looks around",
     "look around|look about|look left and right|look from side to side|turn {his} head and *look around|"
     "survey the area|scan the surroundings|glance around|look to the side|search for something|look for someone|"
     "gaze around|check {his} surroundings|look over {his} shoulder|keep watch|peer around|look behind {him}|"
     "peer about|glance left and right|hunt for something|look everywhere|search the room|look back and forth|"
     "explore with {his} eyes|be on the lookout|look about the place"),
    ("look", "looks up",
     "look up|look upward|gaze at the sky|look at the ceiling|raise {his} head|tilt the head back"),
    ("look", "looks down",
     "look down|look at the ground|look at {his} feet|lower {his} head|hang {his} head|bow the head"),
    ("nod", "nods their head",
     "nod|nod {his} head|nod yes|agree with a nod|give a nod|nod in agreement|move {his} head up and down|"
     "say yes with the head|=a nod|signal approval by nodding"),
    ("shake-head", "shakes their head",
     "shake {his} head|shake the head no|say no with the head|move {his} head from side to side|"
     "refuse by shaking the head|disagree|deny something|turn the head from side to side in denial"),
    ("bow", "bows",
     "bow|bow down|take a bow|bow politely|bend at the waist in greeting|bow respectfully|bow to the audience|"
     "=a bow|bow in greeting|bow from the waist|curtsy|bow before the king|bow to {his} partner|bow deeply|"
     "make a deep bow"),
    ("bend", "bends over",
     "bend over|bend forward|bend down|lean over|stoop|bend at the waist|touch {his} toes|double over|hunch over|"
     "bow forward deeply to reach the ground"),
    ("salute", "salutes",
     "salute|give a salute|salute like a soldier|salute an officer|=a military salute|raise the hand to the temple"),
    ("beckon", "beckons",
     "beckon|wave someone over|gesture to come closer|call someone over with the hand|signal someone to come|"
     "motion someone over|crook a finger|wave a person closer|ask someone to come over|gesture come here"),
    ("guide", "makes a guiding gesture",
     "show the way|make a guiding gesture|gesture the way|invite someone in|usher someone in|"
     "direct someone with the arm|guide someone"),
    ("shrug", "shrugs", "shrug|shrug {his} shoulders|give a shrug|lift the shoulders|not know the answer and *shrug"),
    ("scratch-head", "scratches their head",
     "scratch {his} head|scratch the head|be confused|look puzzled|wonder|scratch {his} hair|"
     "be puzzled and *scratch the head|think hard|be lost in thought"),
    ("wipe-face", "wipes the forehead",
     "wipe {his} face|wipe {his} forehead|wipe the sweat off|wipe sweat from {his} brow|mop {his} brow|"
     "rub {his} face|shade {his} eyes|touch {his} forehead"),
    ("shake-fist", "shakes the right fist",
     "shake {his} fist|shake a fist|shake a fist in anger|brandish a fist|threaten with a fist|"
     "wave a clenched fist"),
    ("tantrum", "swings both arms angrily",
     "throw a tantrum|be angry|rage|swing both arms angrily|stamp and *rage|be furious|flail {his} arms in anger|"
     "lose {his} temper|have a fit of rage|throw {his} arms about|have a tantrum|have a fit|go mad with rage|"
     "throw a fit|rant and *rave"),
    ("taunt", "spreads the arms and taunts",
     "taunt|taunt someone|mock someone|provoke someone|provoke an opponent|challenge an opponent|jeer|"
     "tease someone|make fun of someone|dare someone to fight"),
    ("refuse", "holds up both hands to refuse",
     "refuse|refuse something|decline|reject something|say no with both hands|hold up both hands to refuse|"
     "gesture no|turn down an offer|gesture stop with both hands|fend something off"),
    ("cheer", "cheers with both arms up",
     "cheer|celebrate|celebrate a victory|rejoice|cheer loudly|throw {his} arms up in joy|"
     "raise both arms and *cheer|pump {his} fist|hurrah|celebrate winning|exult|cheer with joy|jump for joy|"
     "do a victory pose|triumph|root for {his} team|celebrate a goal|whoop|jubilate|go crazy with joy|"
     "celebrate with {his} arms up|applaud a goal wildly|win and *cheer|greet the victory"),
    ("talk", "stands and talks",
     "talk|speak|stand and *talk|talk to someone|chat|have a conversation|give a speech|speak with gestures|"
     "explain something|discuss something|argue|converse|tell a story|talk with {his} hands|hold a lecture|"
     "present something|chatter|talk and *gesture|lecture|chat with a friend|speak to the crowd|talk things over|"
     "comment on something"),
    ("gesture", "makes a small gesture with both hands",
     "gesture|make a gesture|gesture with both hands|gesticulate|make a small gesture|"
     "move {his} hands while talking|gesture with the {side} hand|spread {his} arms|open {his} arms wide"),
    ("listen", "stands and listens",
     "listen|listen carefully|stand and *listen|put a hand to {his} ear|hear something|eavesdrop|listen to music|"
     "lend an ear|cup {his} ear|prick up {his} ears|listen to a noise|listen to the radio|strain to hear"),
    ("call", "calls",
     "call|call out|shout|yell|scream|cry out|call to someone|shout something|holler|shriek|roar|howl|bellow|"
     "call for help"),
    ("laugh", "laughs",
     "laugh|laugh out loud|giggle|chuckle|crack up|snicker|titter|cackle|guffaw|chortle|laugh hard"),
    ("cry", "cries", "cry|weep|sob|burst into tears|shed tears|wail|whimper|bawl|snivel|wipe {his} tears"),
    ("pray", "prays with both arms raised",
     "pray|say a prayer|pray to the gods|pray with raised arms|worship|raise both arms to the sky|pray to heaven|"
     "implore the heavens|=a prayer"),
    ("shiver", "shivers",
     "shiver|tremble|shake with cold|freeze with cold|be cold|shudder|quiver|quake with fear|feel cold|"
     "be freezing|shudder with cold|quiver all over|tremble all over|shake all over|tremble with fear|"
     "feel the cold"),
    ("stretch", "stretches both arms",
     "stretch|stretch {his} arms|stretch out|stretch {his} body|stretch after waking up|limber up|"
     "stretch both arms out to the sides|loosen up|yawn and *stretch"),
    ("drink", "drinks",
     "drink|drink something|drink water|drink from a cup|drink a glass of water|sip|take a sip|take a drink|"
     "gulp something down|drink from a bottle|drink coffee|have a beer|guzzle something|swig|slurp something|"
     "down a drink|swallow water|drink tea|drink from a mug|quench {his} thirst|have a drink"),
    ("eat", "eats",
     "eat|eat something|have a meal|eat an apple|take a bite|have lunch|chew|eat a sandwich|munch something|snack|"
     "dine|nibble something|gobble something|eat dinner|eat with a spoon"),
    ("phone", "talks on the phone",
     "talk on the phone|make a phone call|answer the phone|use a phone|hold a phone to {his} ear"),
    # hands at work
    ("pick-up", "picks something up from the ground",
     "pick something up|pick up something|pick something up from the ground|pick up a box|pick up an object|"
     "bend down and *pick something up|pick up a ball|take something from the floor|"
     "pick something up off the floor|grab something from the ground|stoop to pick something up|"
     "collect something from the ground|pick up a coin|reach down and *take something|pick up a stone|"
     "fetch something from the ground|lift something off the floor|bend to pick up something|"
     "get something off the ground|scoop something up"),
    ("pick-up", "picks something up with the {side} hand",
     "pick something up with the {side} hand|take something with the {side} hand|"
     "grab something with {his} {side} hand|pick up an object with {his} {side} hand"),
    ("put-down", "puts something down",
     "put something down|put something on the ground|put down a box|set something down|"
     "place something on the floor|lay something down|lower something to the ground|drop something|"
     "place something on a table|set an object down|bend over and *put something down|lay a box on the floor|"
     "unload something|put away something|leave something on the floor|deposit something|place a cup on the table"),
    ("lift", "lifts something heavy",
     "lift something|lift something heavy|lift a box|lift a heavy box|lift a stone|hoist something|lift weights|"
     "heave something up|raise a heavy object|pick up a heavy thing with both hands|do a deadlift|lift a barbell|"
     "lift something above the head|heft something|shoulder something|lift a weight|pump iron"),
    ("hold", "stands holding something",
     "hold something|hold a box|stand holding something|hold an object in both arms|"
     "stand with something in {his} hands|hold a torch|hold something heavy|hold something up"),
    ("throw", "throws something",
     "throw|throw something|throw a ball|toss something|hurl something|toss a ball|throw a stone|pitch a ball|"
     "lob something|throw a rock|fling something|throw something away|throw an object|throw something overarm|"
     "throw with the right hand|cast a stone|=a throw|throw a grenade|chuck something|heave something|"
     "skim a stone|flip something|launch something|sling something away|throw with all {his} might|pass the ball|"
     "bowl a ball"),
    ("throw-javelin", "throws a javelin",
     "throw a javelin|hurl a javelin|throw a spear|hurl a spear|launch a javelin|do a javelin throw|cast a spear"),
    ("catch", "catches something",
     "catch something|catch a ball|catch a ball with both hands|grab something out of the air"),
    ("sling", "swings a sling and throws a stone",
     "use a sling|swing a sling|sling a stone|whirl a sling|shoot with a sling|hurl a stone with a sling|"
     "use a slingshot"),
    ("push", "pushes something heavy forward",
     "push|push something|push a box|push a heavy object|push something forward|push a cart|shove something|"
     "push against a wall|push a car|push with both hands|lean into something and *push|shove a box along|"
     "nudge something|give something a push|thrust something aside|budge a heavy thing|push a wheelbarrow|"
     "push a shopping cart|roll a cart forward"),
    ("pull", "pulls something",
     "pull|pull something|pull a rope|drag something|tug at a rope|haul on a rope|tow something|pull a cart|"
     "yank a rope|jerk a rope|heave on a rope|haul something in|pull on a rope|draw something closer|"
     "pull a sledge|play tug of war"),
    ("press", "presses a button",
     "press a button|push a button|press something|touch something in front|reach forward|press a switch|"
     "ring a doorbell|use an elevator button|operate a machine|reach out and *touch something|tap a screen"),
    ("use-item", "uses something held in the right hand",
     "use something|use an item|use an object|use a tool|operate a device|use something in {his} hand|"
     "apply an item|hold something in front of the chest and *use it"),
    ("gather", "gathers fruit",
     "gather fruit|pick berries|gather berries|harvest|pick fruit|harvest crops|pick flowers|collect plants|"
     "gather something|forage|pick apples|gather herbs|glean"),
    ("sow", "sows seed",
     "sow|sow seed|scatter seed|plant seeds|sow a field|scatter grain|throw seeds on the ground|spread seeds"),
    ("hoe", "hoes the ground",
     "hoe|hoe the ground|work the field|till the soil|dig with a hoe|weed the garden|do gardening|hack the soil|"
     "dig|dig a hole|shovel"),
    ("fish", "fishes with a net",
     "fish|fish with a net|throw a fishing net|catch fish|cast a net|go fishing|haul in a net|"
     "pull in a fishing net|angle"),
    ("row", "rows a boat",
     "row|row a boat|paddle a boat|paddle a canoe|pull the oars|row with both hands|go rowing|paddle a kayak|"
     "row across the lake|scull|go canoeing"),
    ("drive", "drives a car",
     "drive|drive a car|steer a car|hold a steering wheel|sit and *drive|turn the steering wheel|steer a truck|"
     "be driving|drive a taxi|drive a bus|sit at the wheel|steer a vehicle|be behind the wheel"),
    ("hammer", "hammers",
     "hammer|hammer a nail|use a hammer|pound with a hammer|drive in a nail|bang with a hammer|"
     "strike with a hammer|work at an anvil|nail something|hammer in nails|forge iron|beat metal|"
     "bang on something with a hammer"),
    ("fix", "kneels and repairs something",
     "fix something|repair something|mend something|kneel and *repair something|work on an engine|"
     "tinker with something|fix a machine|do repairs|tie {his} shoe"),
    ("mine", "mines rock with a pickaxe",
     "mine|mine rock|swing a pickaxe|use a pickaxe|dig for ore|break rocks|work in a mine|hack at a rock|"
     "mine for gold"),
    ("chop-wood", "chops wood",
     "chop wood|cut wood|split logs|chop a tree|fell a tree|swing an axe at a tree|cut down a tree|hack at a log|"
     "split firewood"),
    ("cut", "kneels and cuts something",
     "cut something|cut meat|cut something with a knife|carve meat|slice bread|kneel and *cut something|"
     "skin an animal|slice meat"),
    ("blow-horn", "blows a horn",
     "blow a horn|sound a horn|play a horn|blow a trumpet|play the trumpet|blow into a horn|sound a bugle"),
    ("direct-traffic", "directs traffic",
     "direct traffic|direct the traffic|control traffic|regulate traffic|wave cars through|"
     "act like a traffic officer|be a traffic cop|wave the cars on|stop the cars|act as a traffic policeman|"
     "signal to the traffic"),
    ("referee-signal", "gives basketball referee signals",
     "give referee signals|signal like a referee|make referee signals|referee a game|signal a foul|"
     "be a basketball referee|give a technical foul signal|umpire a match"),
    ("open-door", "opens a door",
     "open a door|open the door|open a door with {his} hand|turn a door handle|pull a door open|push a door open"),
    ("play", "plays an instrument",
     "play the guitar|play an instrument|strum a guitar|play the violin|play the drums|play the piano"),
    # sport and dance
    ("push-up", "does push-ups",
     "do push-ups|do a push-up|do {n} push-ups|do pushups|do press-ups|=push-ups|do press ups|"
     "exercise with push-ups|drop and *do push-ups"),
    ("exercise", "exercises",
     "exercise|do exercises|work out|warm up|do gymnastics exercises|do sit-ups|do lunges|train in a gym"),
    ("ball", "plays with a ball",
     "dribble a ball|bounce a ball|play basketball|shoot a basket|shoot hoops|play with a ball"),
    ("swing", "swings a club",
     "swing a golf club|play golf|swing a bat|hit a ball with a bat|play tennis|swing a racket|play baseball"),
    ("dance", "dances",
     "dance|dance to music|dance around|move to the music|dance on the spot|do a dance|{do} a dance|bust a move|"
     "groove|shake {his} hips|boogie|=a dance|dance happily to a song|dance at a party|dance hip hop|"
     "do a hip hop dance|dance the Charleston|dance like Michael Jackson|do disco moves|do ballet|dance a waltz|"
     "dance salsa|dance the samba|bop|party|move {his} body to the beat|dance the night away|dance at the disco|"
     "dance tango|do the twist|show off {his} dance moves|jive"),
    ("breakdance", "breakdances",
     "breakdance|do breakdance|{do} breakdance moves|dance on the floor on {his} hands|do a head spin|"
     "do b-boy moves|spin on the back|do breakdance footwork|=breakdancing|be a breakdancer|do windmills|"
     "do street dance on the floor|do power moves"),
    ("dab", "dabs", "dab|do a dab|do the dab|strike a dab pose|dab to both sides|dab and *dance|=a dab"),
)  # fmt: skip
