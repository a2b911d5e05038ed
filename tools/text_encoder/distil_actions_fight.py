"""Plain wordings and everyday synonyms: fighting, weapons, magic. For the form of a row see distil_actions_move."""

ROWS: tuple[tuple[str, str, str], ...] = (
    # bare hands and feet
    ("punch", "punches",
     "punch|throw a punch|hit someone|hit with the fist|strike with the fist|box|jab|punch forward|punch someone|"
     "throw a jab|land a punch|deliver a punch|punch the air|hit a punching bag|hit out with {his} fist|"
     "thump someone|sock someone|=a punch|swing a fist|shadowbox|slug someone|whack someone|bash someone|"
     "wallop someone|pummel someone|knock someone out|throw a hook|clobber someone|beat someone up|pound someone|"
     "land a blow with {his} fist|hit hard|strike someone|trade punches"),
    ("punch", "punches with the {side} fist",
     "punch with the {side} fist|punch with the {side} hand|throw a {side} punch|hit with the {side} fist|"
     "jab with the {side} hand|throw a {side} hook|throw a {side} cross|strike with {his} {side} fist|"
     "throw an uppercut with the {side} fist|throw a {side} jab|box with the {side}|=a {side} punch|"
     "swing {his} {side} fist|deliver a {side} punch|knock someone out with the {side} fist|"
     "hit someone with {his} {side} hand|strike someone with the {side} hand"),
    ("punch", "throws an uppercut",
     "throw an uppercut|punch upward|do an uppercut|hit upward with the fist|=an uppercut"),
    ("kick", "kicks",
     "kick|kick forward|kick something|kick a ball|give a kick|kick someone|boot a ball|lash out with {his} foot|"
     "do a front kick|{do} a karate kick|kick the air|kick high|strike with the foot|=a kick|deliver a kick|"
     "kick a football|play football|take a penalty kick|punt a ball|drop-kick a ball|shoot at the goal|"
     "give something a good kick|kick out|shoot a football with {his} foot|kick down a door"),
    ("kick", "kicks with the {side} leg",
     "kick with the {side} leg|kick with the {side} foot|kick with {his} {side} leg|do a {side} kick|"
     "throw a {side} kick|kick out with the {side} foot|swing {his} {side} leg in a kick|"
     "do a front kick with the {side} leg|do a side kick with the {side} leg|kick high with the {side} leg|"
     "=a {side} kick|boot something with the {side} foot|strike with {his} {side} foot|"
     "give a kick with the {side} leg|kick a ball with the {side} foot|kick something with {his} {side} foot|"
     "throw out the {side} leg|do a karate kick with the {side} leg"),
    ("kick", "does a spin kick",
     "do a spin kick|do a roundhouse kick|{do} a spinning kick|turn around and *kick high|kick while spinning|"
     "=a roundhouse kick|spin and *kick|do a flying kick"),
    ("back-fist", "strikes with the back of the {side} fist",
     "strike with the back of the {side} fist|do a back fist with the {side} hand|"
     "hit with the back of the {side} hand|do a {side} backfist|backhand someone with the {side} hand|"
     "slap with the back of the {side} hand|=a {side} back fist|=a back fist"),
    ("elbow-strike", "strikes with the {side} elbow",
     "strike with the {side} elbow|hit with the {side} elbow|do an elbow strike with the {side} arm|"
     "elbow someone with the {side} arm|=a {side} elbow strike|jab {his} {side} elbow"),
    ("elbow-strike", "does an elbow strike",
     "elbow someone|{do} an elbow strike|hit someone with the elbow|=an elbow strike|throw an elbow"),
    ("karate", "performs a karate kata",
     "{do} a karate kata|do karate|practise karate|do martial arts|practise martial arts|do kung fu|show a kata|"
     "train karate|do taekwondo|=karate|fight like a ninja"),
    ("slap", "slaps", "slap|slap someone|slap someone in the face|smack someone"),
    ("guard", "stands ready to fight",
     "stand ready to fight|stand in a fighting stance|take a fighting stance|hold up {his} fists|be on guard|"
     "get ready to fight|take up a boxing guard|stand on guard|raise both fists|prepare to fight|"
     "adopt a combat stance|be ready for battle|stand in a combat pose|guard something|=a fighting stance|fight|"
     "square up|put up {his} fists|raise {his} guard|get into a fighting pose|get into a boxing stance|"
     "face an opponent|take up {his} stance"),
    ("block", "raises the {side} arm to block",
     "raise the {side} arm to block|block with the {side} arm|parry with the {side} arm|"
     "block a punch with {his} {side} arm|block with a shield on the {side} arm"),
    ("block", "blocks an attack",
     "block|block an attack|block a punch|block a blow|parry|parry an attack|defend {himself}|hold up a shield|"
     "ward off a blow|raise a shield|hide behind a shield|shield {himself}|protect {his} face|=a block|"
     "deflect a blow|fend off an attack|stop a punch|repel an attack|deflect an attack|block a sword|"
     "defend against an attack|cover {his} head|block with a shield"),
    ("dodge", "dodges to the {side}",
     "dodge to the {side}|dodge {side}|jump to the {side} side|evade to the {side}|leap aside to the {side}|"
     "duck to the {side}|swerve {side} to avoid something|jump out of the way to the {side}|escape to the {side}|"
     "sidestep a blow to the {side}|slip {side}"),
    ("dodge", "dodges backward",
     "dodge|dodge backward|dodge an attack|evade|avoid a blow|jump back|evade an attack|leap back|spring back|"
     "get out of the way|duck a punch|dodge a bullet|avoid a punch|jump out of the way|=a dodge|elude a blow|"
     "shy away|escape a blow|jump backwards to avoid something|hop back|step out of the way|"
     "lean back to avoid a punch"),
    ("hit-reaction", "is hit and staggers",
     "be hit|get hit|flinch|flinch from a hit|take a hit|be hit and *stagger|be punched|be struck|react to a hit|"
     "get punched|be hurt|be wounded|recoil from a blow|be hit in the chest|be hit on the head|take damage|"
     "get shot|be shot|be hit in the stomach|reel from a blow|get hurt|stagger from a punch|take a punch|"
     "take a blow|be hit by a fist|get hit in the face|receive a blow|get struck in the belly|reel back|be kicked|"
     "wince|suffer a blow|double over from a punch"),
    # blades and other weapons
    ("slash", "slashes",
     "slash|slice|swipe|slash sideways|slash at an enemy|=a slash|cut|slash with both arms|slice the air"),
    ("slash", "slashes with a sword",
     "slash with a sword|swing a sword|strike with a sword|attack with a sword|swing a blade|cut with a sword|"
     "swing a weapon|hit with a sword|fight with a sword|wield a sword|slice with a sword|swing a katana|fence|"
     "brandish a sword|=a sword swing|swing a sword sideways|attack with a weapon|swing a two-handed sword|"
     "swing a long sword|cut someone with a sword|strike with a blade|swing a sabre|fight a duel with a sword|"
     "slash someone with a sword|hack at someone with a sword"),
    ("slash", "slashes with a knife",
     "slash with a knife|swing a knife|cut with a dagger|attack with a knife|slash with a dagger"),
    ("stab", "stabs with a sword",
     "stab|stab with a sword|thrust a sword forward|stab forward|stab someone|lunge with a sword|thrust forward|"
     "pierce something|run someone through|lunge and *stab|stab with both hands|=a stab|=a sword thrust|"
     "jab with a blade|poke with a sword|skewer someone|impale someone|spear someone with a sword|"
     "lunge like a fencer|thrust a blade"),
    ("stab", "stabs with a knife",
     "stab with a knife|stab with a dagger|lunge with a knife|stab someone with a knife|knife someone|"
     "thrust a dagger"),
    ("stab", "stabs with a spear",
     "stab with a spear|thrust a spear|attack with a spear|jab with a spear|thrust a pike forward|"
     "lunge with a spear|poke with a lance|thrust a lance"),
    ("chop", "chops down with an axe",
     "chop|chop down|chop with an axe|swing an axe|strike down with an axe|strike downward|hack|hack with an axe|"
     "attack with an axe|chop down with a sword|strike down with both hands|smash something with a hammer|"
     "bring an axe down|swing a club down|leap up and *strike down"),
    ("spin-attack", "spins around with a weapon",
     "do a spin attack|spin around with a sword|spin with a weapon|whirl a sword around|swing a sword all around|"
     "do a whirlwind attack|spin and *slash"),
    ("shield-bash", "hits out with a shield",
     "bash with a shield|hit with a shield|strike with a shield|do a shield bash|=a shield bash|"
     "push with a shield|slam {his} shield forward|ram someone with a shield"),
    ("shoot", "shoots a gun",
     "shoot|shoot a gun|fire a gun|fire a pistol|shoot a pistol|shoot with the right hand|fire a rifle|"
     "shoot a rifle|pull the trigger|open fire|fire a weapon|shoot at someone|shoot a target|aim and *shoot|"
     "fire a shot|shoot a handgun|blast away|shoot a crossbow|shoot a shotgun|fire at a target|gun someone down|"
     "let off a shot|shoot bullets|fire a machine gun"),
    ("shoot-bow", "shoots a bow",
     "shoot a bow|shoot an arrow|draw a bow|fire an arrow|shoot a bow and arrow|do archery|"
     "draw a bow and *shoot an arrow|loose an arrow|=archery|use a bow|let an arrow fly"),
    ("aim", "aims a gun",
     "aim|aim a gun|take aim|point a gun|aim a pistol|aim a rifle|aim at a target|point a pistol|aim a weapon|"
     "hold a gun ready|aim forward with the right arm|draw a gun|aim a crossbow"),
    ("reload", "reloads a weapon",
     "reload|reload a gun|reload a weapon|load a gun|reload a pistol|change the magazine|load a rifle|"
     "put bullets in a gun|reload a crossbow|insert a new magazine|load bullets|refill a gun|put a new clip in|"
     "load a weapon"),
    # magic and games
    ("cast-spell", "casts a spell",
     "cast a spell|do magic|use magic|cast magic|throw a fireball|perform magic|conjure something|"
     "cast a spell with both hands|cast a fireball|work a charm|wave a wand|act like a wizard|summon something|"
     "cast a spell with the {side} hand|hurl a spell|invoke magic|shoot a fireball|throw lightning|"
     "cast a magic spell|work magic|do sorcery|conjure a fireball|do a magic trick|put a spell on someone|"
     "enchant something"),
    ("heal", "heals someone",
     "heal|heal someone|heal a friend|cast a healing spell|bless someone|cure someone|"
     "raise both arms and *heal someone|heal the wounded"),
    ("power-up", "gathers power",
     "power up|charge up|gather power|gather energy|charge {his} energy|tense all {his} muscles|focus {his} power|"
     "build up energy|summon {his} strength|flex {his} muscles"),
    ("thrust", "thrusts both hands forward",
     "thrust both hands forward|push both palms forward|throw both hands forward|shove both palms out"),
    ("thrust", "thrusts the {side} hand forward",
     "thrust the {side} hand forward|push the {side} palm forward|shoot the {side} hand forward|"
     "stretch the {side} arm forward"),
)  # fmt: skip
