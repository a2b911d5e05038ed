"""Plain wordings and everyday synonyms: getting about, jumping, acrobatics, postures.

One row is (action word of the clips' captions, plain wording, synonyms). Synonyms are base forms separated by `|`;
`*` marks a further verb to inflect, `=` a noun phrase that stands alone, `{side}` is left or right (in the plain
wording too), `{his}` a possessive, `{do}` do/perform/..., `{n}` a small number.
"""

ROWS: tuple[tuple[str, str, str], ...] = (
    # walking
    ("walk", "walks forward",
     "walk|walk forward|walk ahead|walk along|walk straight ahead|go for a walk|take a walk|"
     "take a few steps forward|take {n} steps forward|step forward|stroll|stroll along|go forward|"
     "move forward on foot|stride ahead|pace ahead|saunter along|walk at a normal pace|advance|"
     "walk in a straight line|keep walking|go on foot|=a normal walk|=walk cycle|walk away|walk up to someone|"
     "come closer|approach on foot"),
    ("walk-back", "walks backward",
     "walk backward|walk backwards|back away|back up|step back|step backward|take {n} steps back|retreat|"
     "go backwards|walk in reverse|move back|shuffle backwards|back off|take a few steps back|"
     "draw back step by step"),
    ("walk", "walks to the {side}",
     "walk to the {side}|step to the {side}|sidestep to the {side}|sidestep {side}|take a side step to the {side}|"
     "move sideways to the {side}|walk sideways to the {side}|shuffle to the {side}|go to the {side}|"
     "strafe {side}|take {n} steps to the {side}|side-step to {his} {side}|walk over to the {side}|"
     "move to {his} {side} side"),
    ("walk", "walks and turns {side}",
     "walk and *turn {side}|walk forward and *turn to the {side}|walk in a curve to the {side}|make a {side} turn|"
     "walk around a corner to the {side}|go ahead and *turn {side}|take a {side} turn while walking|"
     "walk in an arc to the {side}|walk and *bear {side}|curve to the {side}|"
     "walk and *change direction to the {side}"),
    ("turn", "turns to the {side}",
     "turn {side}|turn to the {side}|turn {his} body to the {side}|face {side}|rotate to the {side}|"
     "pivot to the {side}|turn ninety degrees to the {side}|make a quarter turn to the {side}|swivel {side}|"
     "turn on the spot to the {side}"),
    ("turn", "turns around",
     "turn around|turn round|turn back|face the other way|about-face|turn 180 degrees|turn half around|"
     "turn {his} back|spin around to face the other way|make a U-turn|=an about turn|"
     "look behind by turning around|whirl round"),
    ("walk", "walks in a circle",
     "walk in a circle|walk in circles|walk around in circles|circle around|walk round and round|"
     "go round in a circle|walk a full circle|walk a loop|pace around in a circle|walk along a circular path|"
     "circle|walk around a tree|orbit something on foot"),
    ("walk", "walks in place",
     "walk in place|walk on the spot|march in place|march on the spot|step in place|mark time|walk on a treadmill|"
     "walk without going anywhere|stay in place while walking|step on the spot"),
    ("walk", "starts walking",
     "start walking|begin walking|start to walk|begin to walk|set off|set out|stand and then *walk off|"
     "go from standing to walking|stand still and then *start walking|take the first step|get moving|get going"),
    ("walk", "stops walking",
     "stop|stop walking|come to a stop|halt|come to a halt|come to a standstill|walk and then *stop|stop moving|"
     "pause|walk forward and *stop|slow down and *stop|freeze|stop in {his} tracks|stop and *stand|cease moving|"
     "stop dead|brake|cease walking|stop and *stand still|slow to a stop|stop suddenly|interrupt {his} walk|"
     "stop at the kerb|stop running"),
    ("walk", "marches",
     "march like a soldier|parade like a soldier|goose-step|march with high knees|stride in step|=a military march"),
    ("walk", "limps",
     "limp|hobble|hobble along|walk with a limp|limp along|walk with an injured leg|drag one leg|walk lamely|"
     "favour one leg|walk with a bad knee|hobble on a hurt foot|limp forward|be lame|walk as if {his} foot hurts|"
     "walk with a hurt leg|drag {his} foot|walk lame|pull one leg along"),
    ("walk", "staggers drunkenly",
     "stagger|walk drunkenly|stumble about drunk|walk like a drunk|reel|totter|lurch along|walk unsteadily|"
     "sway while walking|stagger from side to side|walk while drunk|stumble around|wobble along|teeter"),
    ("walk", "tiptoes",
     "tiptoe|walk on tiptoe|walk on tiptoes|walk on {his} toes|go on tiptoe|step lightly on {his} toes"),
    ("walk", "walks up the stairs",
     "walk up the stairs|climb the stairs|go up the steps|go upstairs|mount the stairs|step up a staircase|"
     "ascend the stairs"),
    ("walk", "walks down the stairs",
     "walk down the stairs|go down the steps|go downstairs|descend the stairs|step down a staircase|"
     "come down the stairs"),
    ("zombie-walk", "walks like a zombie",
     "walk like a zombie|shamble like a zombie|shuffle like the undead|=zombie walk|=a zombie|lurch like a zombie|"
     "move like a zombie|stagger like a zombie with the arms out|walk like the living dead|imitate a zombie|"
     "walk stiffly with both arms stretched out in front|act like a zombie|shuffle along like a walking corpse"),
    ("crouch-walk", "walks forward in a crouch",
     "sneak|sneak forward|sneak around|creep|creep forward|walk crouched|walk in a crouch|crouch and *walk|"
     "crouch-walk|prowl|move stealthily|walk with bent knees, crouched low|skulk|slink|walk like a thief|"
     "sneak up on someone|move forward crouching|steal forward|walk bent low|duck and *walk forward|"
     "creep up quietly"),
    ("carry", "walks carrying something",
     "carry something|carry a box|carry a heavy box|carry something in both arms|walk while carrying something|"
     "haul a load|walk with a box in {his} hands|carry a load|carry a basket|transport something|carry a bag|"
     "lug a heavy bag|bear a load on the shoulder|carry a package|carry wood|walk holding something heavy|"
     "carry groceries|tote a bag|haul something|lug something|shoulder a load|carry a suitcase|deliver a parcel|"
     "carry a child|carry firewood|carry water"),
    # running
    ("run", "jogs",
     "jog|jog forward|jog along|jog slowly|run slowly|trot|run at an easy pace|lope|go jogging|=a jog|=jogging|"
     "run gently|jog around|run at a slow pace"),
    ("run", "runs",
     "run|run forward|run ahead|run straight ahead|run along|run away|go for a run|run off|=a run|=run cycle|"
     "race along"),
    ("run", "sprints",
     "sprint|run fast|run as fast as possible|dash|dash forward|run at full speed|race forward|bolt|"
     "run for {his} life|run as fast as {he} can|rush forward|charge forward|=a sprint|run very fast|tear along"),
    ("run-back", "runs backward", "run backward|run backwards|jog backwards|backpedal|run in reverse|jog backward"),
    ("run-side", "runs to the {side} side",
     "run to the {side}|run sideways to the {side}|sidle quickly to the {side}|shuffle fast to the {side}|"
     "side shuffle to the {side}|gallop sideways to the {side}|run {side}"),
    ("run", "runs in a circle",
     "run in a circle|run in circles|run round and round|jog around in circles|jog in a circle"),
    ("run", "runs in place",
     "run in place|jog in place|run on the spot|jog on the spot|run on a treadmill|run without moving forward|"
     "do high knees"),
    ("run", "starts running",
     "start running|break into a run|begin to run|begin running|start to jog|take off running|start jogging"),
    ("run-shoot", "runs and shoots a gun",
     "run and *shoot a gun|run while shooting|shoot while running|fire a gun on the run|run firing a pistol|"
     "run and *fire"),
    ("run-slash", "runs and slashes with a sword",
     "run and *slash with a sword|swing a sword while running|run and *swing a sword|slash on the run|"
     "charge and *strike with a sword|attack with a sword at a run"),
    ("skip", "skips", "skip|skip along|skip forward|skip like a child|prance|frolic|gambol along"),
    # jumping
    ("jump", "jumps",
     "jump|jump up|leap|leap up|jump into the air|spring up|hop up|make a jump|jump once|jump vertically|"
     "bounce up|jump high into the air|leap into the air|=a jump|take a leap|bound|jump as high as possible|"
     "bend the knees and *jump|vault|caper|spring into the air|give a jump|jump off the ground|"
     "leave the ground with a jump"),
    ("jump", "jumps up and down on the spot",
     "jump in place|jump up and down|jump on the spot|bounce up and down|jump up and down on the spot|"
     "hop in place|jump again and again|hop up and down|keep jumping|jump {n} times|bounce on the spot|"
     "bounce in place|skip rope|jump rope"),
    ("jump", "jumps forward",
     "jump forward|leap forward|hop forward|take a long jump|do a long jump|jump ahead|leap over something|"
     "jump over something|jump over an obstacle|broad jump|spring forward|jump across a gap|hurdle|"
     "vault over something|clear a hurdle|jump over a fence|jump from stone to stone"),
    ("jump", "hops on one leg",
     "hop|hop on one leg|hop on one foot|hop on the {side} foot|hop along on one leg|bounce on one leg|"
     "jump on one leg|play hopscotch"),
    ("jump-turn", "jumps and turns to the {side}",
     "jump and *turn to the {side}|jump and *turn {side}|jump and *spin {side}|leap and *turn {side}|"
     "do a jump turn to the {side}|hop and *turn {side}|turn {side} in the air|do a 180 jump to the {side}|"
     "jump while turning {side}"),
    ("jumping-jacks", "does jumping jacks",
     "do jumping jacks|do a jumping jack|{do} star jumps|do {n} jumping jacks|=jumping jacks|"
     "jump while opening the arms and legs|exercise with jumping jacks|=star jumps|warm up with jumping jacks|"
     "jump with the arms and legs apart"),
    ("land", "lands from a jump",
     "land|land from a jump|land on both feet|land after a jump|touch down|hit the ground after a jump|"
     "come down from a jump"),
    ("fall-air", "is in the air during a jump",
     "be in the air|be in the air during a jump|be airborne|hang in the air|fall through the air|"
     "fall from a height|drop through the air"),
    ("backflip", "does a backflip",
     "do a backflip|{do} a back flip|flip backward|flip over backwards|=a backflip|jump and *flip backward|"
     "somersault backwards|do a backward somersault|do a flip|{do} a somersault in the air|flip in the air|"
     "do a back somersault|do an aerial flip"),
    ("cartwheel", "does a cartwheel",
     "do a cartwheel|turn a cartwheel|{do} cartwheels|cartwheel|cartwheel to the side|=a cartwheel|"
     "do {n} cartwheels|wheel over on the hands|flip sideways on the hands|do gymnastics|tumble sideways"),
    ("roll", "does a forward roll",
     "roll|roll forward|do a forward roll|{do} a roll|do a somersault on the ground|dive and *roll|"
     "do a diving roll|roll over|roll on the ground|tumble forward|roll head over heels|=a forward roll|"
     "roll across the floor|do a dodge roll|somersault forward"),
    # postures
    ("idle", "stands still",
     "stand still|stand|stand idle|idle|wait|stand and *wait|wait motionless|do nothing|stand motionless|"
     "stay still|stand there|stand on the spot|>does not move|>is not moving|>stays where {he} is|remain still|"
     "remain standing|stand quietly|keep still|stand around|be idle|just *stand there|hold still|wait patiently|"
     "wait for someone|wait for the bus|=idle|=an idle pose|stay in place|stand upright|stand without moving|"
     "be standing|stand and *breathe|stand in place|rest while standing|be motionless|stay put|be still|"
     "stay motionless|stand like a statue|freeze on the spot|>just stands|stand at ease|await someone|"
     ">does nothing|stay in position|linger|loiter|hang around"),
    ("bored", "stands and looks bored",
     "look bored|be bored|wait, bored|stand around bored|wait impatiently|put both hands on the hips and *wait|"
     "stand with hands on hips|tap {his} foot impatiently|get bored|kill time"),
    ("sit-down", "sits down",
     "sit down|take a seat|be seated|seat {himself}|sit down on a chair|sit down on a bench|have a seat|"
     "sit down on the ground|lower {himself} onto a chair|sit down on the floor|go and *sit down|"
     "settle into a chair|step back and *sit down|take a chair|sit down to rest|plop down on the couch|"
     "sit down on the sofa|lower {himself} to sit|take a place on the bench|drop into a chair|"
     "sit down at the table|flop onto the sofa|sit down on a stool|go from standing to sitting"),
    ("sit", "sits",
     "sit|sit still|sit on a chair|sit on the ground|sit on the floor|remain seated|be sitting|stay seated|"
     "sit on a bench|sit there|rest on a chair|sit in a chair|sit quietly|be sitting on a chair|sit and *wait|"
     "sit on a stool|perch on a stool|lounge in a chair|sprawl in an armchair|>is seated|"
     ">is sitting down on a chair|occupy a seat|be seated on a bench"),
    ("sit-cross-legged", "sits cross-legged",
     "sit cross-legged|meditate|sit with crossed legs|sit in the lotus position|do yoga|sit like a yogi|"
     "sit cross-legged and *meditate|sit with {his} legs crossed|sit Indian style|be sitting cross-legged|"
     "meditate on the floor|sit tailor-fashion"),
    ("stand-up", "stands up",
     "stand up|get up|rise|stand up from a chair|get up from a chair|rise from a chair|rise to {his} feet|"
     "get to {his} feet|get up from {his} seat|stand up from sitting|leave {his} seat|rise from the seat|"
     "go from sitting to standing|get on {his} feet|stand up from the sofa|stand up from a bench|"
     "stand up straight|go from sitting to standing up"),
    ("get-up", "gets up from the ground",
     "get up from the ground|get up off the ground|get up from the floor|stand up from the ground|get back up|"
     "get up after a fall|rise from the ground|get up from lying down|scramble to {his} feet|"
     "pick {himself} up off the floor|get back on {his} feet|lie on the ground and then *get up|"
     "push {himself} up from the floor|climb to {his} feet|get up again|get back up from the floor|"
     "recover from a fall|stand up again after falling|come back up from the ground|rise after lying down"),
    ("lie-down", "lies down",
     "lie down|lie down on the ground|lay down|lie down on the floor|lie down to sleep|go to bed|lie back|"
     "stretch out on the ground|lie down on {his} back|lower {himself} to the ground|lie down on a bed|"
     "go to sleep|lie down and *rest"),
    ("lie", "lies on the ground",
     "lie on the ground|lie on the floor|lie still|sleep|be asleep|be lying down|lie on {his} back|lie motionless|"
     "sleep on the ground|nap|take a nap|be lying on the ground|lie face down|lie there|lie in bed|"
     "rest lying down|doze"),
    ("crouch", "crouches",
     "crouch|crouch down|squat|squat down|duck down|hunker down|stay crouched|crouch low|get down low|do a squat|"
     "do squats|do {n} squats|bend the knees deeply|hide by crouching|cower|make {himself} small|stoop low|"
     "sink into a squat|sit on {his} heels|bend {his} knees low|squat low|get low to the ground|"
     "crouch behind something"),
    ("kneel", "kneels",
     "kneel|kneel down|go down on one knee|kneel on one knee|get down on {his} knees|drop to {his} knees|"
     "take a knee|be kneeling|kneel on the ground|fall to {his} knees|rest on one knee|sink to {his} knees|"
     "go down on both knees|propose on one knee|genuflect|go on {his} knees|kneel before the king|get on one knee|"
     "bend the knee|kneel to pray"),
    ("crawl", "crawls",
     "crawl|crawl forward|crawl on the ground|crawl on hands and knees|crawl on all fours|move on all fours|"
     "crawl on the belly|creep on hands and knees|crawl like a baby|drag {himself} along the ground|"
     "crawl across the floor|inch along on the belly|go on all fours|go on hands and knees|creep on the belly|"
     "worm forward|move on hands and knees|slither|advance on elbows and knees"),
    ("fall", "falls to the ground",
     "fall|fall down|fall over|fall to the ground|collapse|drop to the ground|tumble|topple over|"
     "fall on the floor|slip and *fall|trip and *fall|stumble and *fall|lose {his} balance and *fall|faint|"
     "pass out|drop dead|die|be knocked down|keel over|crash to the floor|sink to the ground|be killed|go down|"
     "plunge to the ground|crash down|flop down|tumble over|slump to the floor|drop down|plummet|slip|"
     "be knocked out|fall unconscious|go sprawling|hit the deck|land on the floor"),
    ("fall", "falls backward",
     "fall backward|fall backwards|fall on {his} back|topple backwards|be knocked backwards to the ground|"
     "collapse onto the back"),
    ("fall", "falls forward",
     "fall forward|fall on {his} face|fall flat on {his} face|topple forwards|pitch forward|fall forwards"),
    ("trip", "stumbles",
     "stumble|trip|trip over something|lose {his} footing|trip over {his} own feet|catch {his} foot and *stumble|"
     "lose {his} step|nearly fall|almost fall|miss a step|trip on a stone|falter"),
    ("balance", "balances on one leg",
     "balance|balance on one leg|stand on one leg|stand on the {side} leg|keep {his} balance|stand on one foot|"
     "walk on a tightrope|balance on a beam|do a one-legged stand|stand like a flamingo"),
    ("lean", "leans forward on something",
     "lean|lean forward|lean on something|lean against something|lean on a stick|lean on a table|rest on a cane|"
     "prop {himself} up"),
    ("sway", "sways dizzily",
     "sway|sway dizzily|be dizzy|sway from side to side|wobble|feel dizzy|rock back and forth|stand unsteadily|"
     "reel where {he} stands"),
    ("climb", "climbs",
     "climb|climb up|climb a ladder|climb a wall|climb up a ladder|climb onto a box|climb a rope|"
     "climb up and down|scale a wall|clamber up|climb over something|pull {himself} up|hang by the hands|"
     "climb a tree|climb on playground equipment|mount a box|scramble up|shin up a pole|go rock climbing|"
     "ascend a wall|climb a mountain|climb a hill|get up onto a rock|mount a ladder"),
    ("swim", "swims",
     "swim|swim forward|swim the breaststroke|do the breaststroke|do the crawl stroke|swim in water|tread water|"
     "paddle in water|swim underwater|swim the front crawl|=swimming|do a butterfly stroke|have a swim"),
    ("float", "floats in the air",
     "float|float in the air|hover|levitate|hover above the ground|be weightless|hang weightlessly|"
     "drift in the air|hang in mid-air|rise into the air and *float"),
    ("fly", "flies forward",
     "fly|fly forward|fly like a superhero|fly through the air|soar|soar through the sky|fly like a bird|"
     "fly with outstretched arms|glide through the air|fly in the sky|zoom through the air"),
    ("spin", "spins on the spot",
     "spin|spin around|twirl|spin in place|spin on the spot|rotate|whirl around|turn round and round|"
     "spin in a circle|pirouette|do a full turn|turn 360 degrees|make a full rotation|revolve|do a spin|"
     "twirl around|=a spin|do a pirouette|gyrate|spin like a top|turn all the way around|go round on the spot"),
)  # fmt: skip
