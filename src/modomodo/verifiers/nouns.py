"""A closed list of plain nouns, and words that describe them: what may follow a number without a change of its value.

No list of forbidden words could be complete: after 5, "refuted", "zillion" and "Millionen" are words like "dogs". So a
word counts that is here, or that the gold has itself. What is here names or describes things that can be seen, counted
or measured, and nothing else: no numeral, no operation, no doubt, no verdict.
"""

import re
from functools import lru_cache

_THINGS = """
    person people man woman men women child children boy girl baby kid adult human toddler teenager player rider
    driver passenger pedestrian worker student pupil teacher customer spectator fan guest visitor friend brother
    sister sibling parent mother father son daughter family soldier officer guard chef cook waiter farmer dancer
    singer musician skier surfer skater snowboarder swimmer runner cyclist biker pitcher batter catcher umpire referee
    doctor nurse patient king queen clown pirate bride groom member employee resident voter applicant candidate
    participant animal dog puppy cat kitten bird horse pony foal sheep lamb cow calf bull ox elephant bear zebra
    giraffe goat pig rabbit mouse mice rat hamster squirrel fox wolf wolves lion tiger leopard cheetah monkey ape
    gorilla panda koala kangaroo camel llama donkey mule deer moose elk buffalo bison rhino hippo crocodile alligator
    lizard snake turtle tortoise frog toad fish shark whale dolphin seal walrus octopus squid crab lobster shrimp
    jellyfish starfish snail slug worm insect ant bee wasp fly flies mosquito beetle ladybug butterfly moth
    caterpillar dragonfly firefly spider duck duckling goose geese swan chicken hen rooster chick turkey pigeon dove
    crow raven parrot owl eagle hawk seagull gull penguin ostrich flamingo peacock sparrow robin hummingbird cattle
    livestock pet wing tail paw hoof hooves horn antler beak feather head face eye ear nose mouth tooth teeth lip
    tongue neck shoulder arm elbow hand finger thumb leg knee foot feet toe hair beard moustache bone rib skull cell
    nucleus nuclei neuron bacterium bacteria chromosome apple banana orange lemon lime pear peach plum cherry grape
    berry strawberry blueberry raspberry melon watermelon pineapple mango coconut avocado kiwi fig date olive fruit
    vegetable tomato potato carrot onion garlic pepper chili cucumber lettuce cabbage broccoli cauliflower spinach pea
    bean corn mushroom pumpkin squash radish celery nut peanut almond walnut seed grain rice bread loaf loaves bun
    roll bagel toast sandwich burger hamburger pizza pasta noodle taco burrito sushi steak sausage bacon ham meatball
    egg omelette cheese butter milk yogurt cream soup salad sauce cake cupcake muffin donut doughnut cookie biscuit
    cracker pie pastry croissant pancake waffle candy candies sweet chocolate lollipop gumball jellybean sugar salt
    honey jam jelly juice soda water coffee tea beer wine drink snack meal slice serving portion topping sprinkle cup
    mug glass bottle can jar jug bowl plate dish tray pan pot kettle teapot fork knife knives spoon chopstick napkin
    straw lid box carton crate basket bucket bin barrel bag sack backpack suitcase luggage purse handbag wallet
    package parcel container pack packet envelope letter stamp postcard car truck bus van taxi cab motorcycle
    motorbike scooter moped bicycle bike tricycle train tram trolley wagon cart carriage boat ship sailboat canoe
    kayak yacht ferry raft submarine airplane aeroplane plane aircraft jet helicopter rocket spaceship balloon kite
    tractor bulldozer excavator crane ambulance trailer vehicle wheel tire tyre seat pedal engine door window
    windshield mirror headlight bumper handle handlebar sail mast anchor oar paddle propeller traffic light signal
    sign hydrant meter lamp lamppost post pole road street lane crosswalk sidewalk bridge tunnel fence gate wall
    railing track rail platform station bench house home hut cabin cottage building skyscraper tower castle church
    temple barn shed garage shop store market restaurant hotel school hospital factory factories office tent roof
    chimney floor storey ceiling room kitchen bathroom bedroom balcony porch stair step ladder column pillar arch
    brick tile board plank beam log table desk chair stool armchair sofa couch bed pillow cushion blanket sheet towel
    curtain rug carpet mat shelf shelves bookcase cabinet cupboard drawer closet wardrobe dresser nightstand bookshelf
    oven stove microwave toaster refrigerator fridge freezer sink faucet tap bathtub shower toilet dishwasher washer
    dryer iron heater lantern candle bulb chandelier vase flowerpot frame picture painting poster photo photograph
    image drawing clock watch radio television tv screen monitor computer laptop keyboard key remote phone telephone
    cellphone smartphone tablet camera speaker headphone microphone printer scanner projector cable wire cord plug
    socket outlet switch button battery charger robot drone book notebook magazine newspaper page paper card ticket
    map chart pen pencil pencilcase crayon marker brush paintbrush eraser ruler scissor stapler paperclip clip pin
    needle thread rope string ribbon bow chain lock hook nail screw bolt hammer saw drill wrench screwdriver plier axe
    shovel rake broom mop sponge tool toolbox shirt tshirt blouse sweater jacket coat vest suit dress skirt trousers
    pants jeans shorts sock shoe boot sandal sneaker slipper hat cap helmet crown scarf glove mitten belt tie bowtie
    necklace bracelet earring ring jewel gem diamond pearl bead glasses sunglasses goggles mask umbrella cane flag
    banner badge medal trophy trophies toy doll teddy block lego puzzle dice die ball football basketball baseball
    softball volleyball tennis racket racquet bat frisbee skateboard snowboard surfboard ski sled skate rollerblade
    golf club puck net goal hoop dart marble jack chess pawn knight bishop rook domino spinner token counter coin
    penny pennies nickel dime note bill guitar piano violin cello drum trumpet flute saxophone harp banjo instrument
    bell whistle tree bush shrub hedge plant flower rose tulip daisy sunflower lily lilies orchid petal leaf leaves
    branch branches trunk stem grass lawn garden field farm forest wood mountain hill rock stone pebble boulder cliff
    cave island beach shore river stream lake pond pool ocean sea wave waterfall cloud sun moon star planet rainbow
    snowflake snowman snowmen raindrop puddle shadow fire flame thing item object piece part component unit element
    entry entity instance copy point dot circle ellipse oval square rectangle triangle quadrilateral parallelogram
    rhombus rhombi rhombuses trapezoid trapezium polygon pentagon hexagon heptagon octagon heart cross crescent arrow
    line segment ray curve arc angle side edge vertex vertices corner diagonal axis radius radii diameter chord
    tangent sector cube cuboid sphere cylinder cone pyramid prism hemisphere solid shape figure pattern stripe spot
    row bar wedge label legend tick node arrowhead graph diagram region area section country countries state city
    cities town village county continent capital province district word vowel consonant character symbol sentence
    paragraph title number digit integer factor divisor term solution outcome permutation combination arrangement
    subset way path route game match round set team group class league race lap trip visit turn move shot vote survey
    question problem color colour kind type species quiz grade mark hour minute second day week month year decade
    century centuries season dollar cent atom molecule electron proton neutron ion bond isotope resistor capacitor
    magnet pendulum spring lens lenses beaker flask tube thermometer buses octopuses walruses brownie movie zombie
    hoodie volcano gift present wooden shelter tomb statue fountain windmill wheelchair stroller crib swing slide
    seesaw hurdle
"""
_KINDS = """
    red orange yellow green blue purple violet pink brown black white grey gray gold golden silver cyan magenta teal
    turquoise beige tan maroon navy crimson dark light bright pale colored coloured colorful colourful big large small
    little tiny huge tall long wide narrow thick thin giant medium young old new ripe fresh rotten round square
    circular rectangular triangular oval cubic spherical cylindrical flat straight curved striped spotted plain shiny
    matte metal metallic rubber plastic wooden glass stone leather cotton paper ceramic steel brass empty open closed
    parked standing sitting walking running flying swimming lying sleeping eating smiling wild domestic adult baby
    male female live alive visible shown pictured depicted seen present only exactly left remaining total altogether
    distinct unique individual separate single whole entire wet dry hot cold sliced cooked baked fried raw ordered
    unordered electric
"""
# Beside the things themselves, what a name of a quantity is made of: "the area of the triangle".
_MEASURES = """
    area perimeter circumference surface lateral length width breadth height depth altitude apothem base hypotenuse
    leg distance displacement speed velocity acceleration force mass weight density pressure volume temperature energy
    power work charge current voltage resistance frequency wavelength period amplitude time age price cost profit
    revenue income salary wage interest rate ratio proportion percentage probability chance sum total difference
    product quotient remainder average mean median mode range variance deviation number amount quantity count size
    slope intercept gradient coordinate midpoint determinant trace norm magnitude modulus discriminant degree measure
    answer result value solution output input function equation expression formula limit integral derivative sequence
    series domain step shaded unshaded maximum minimum max min largest smallest greatest highest lowest longest
    shortest first second third last nth original initial final new left remaining right top bottom upper lower inner
    outer required desired correct best exact simplified numerical the of in on for to by with at from its his her
    their this each per so then thus hence therefore finally we get have find our my is are was equals covered between
    needed used made sold bought spent asked
"""
_IRREGULAR = {
    "feet": "foot", "teeth": "tooth", "geese": "goose", "men": "man", "women": "woman", "mice": "mouse",
    "buses": "bus", "tomatoes": "tomato", "potatoes": "potato", "dominoes": "domino", "mangoes": "mango",
}  # fmt: skip


@lru_cache(maxsize=4_096)
def singular(word: str) -> str:
    """Return one spelling of a noun in singular and plural, in lower case: "dog", "box", "cooky"."""
    word = word.lower()
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith(("ies", "ie")):
        return f"{word[: word.rindex('ie')]}y"
    if word.endswith(("ches", "shes", "xes", "sses", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


_KNOWN = frozenset(map(singular, f"{_THINGS} {_KINDS}".split()))


_NAMING = _KNOWN | frozenset(map(singular, _MEASURES.split()))


def may_name(words: str) -> bool:
    """Return whether words name a quantity and say nothing else of it: "The area", not "half of the area"."""
    return all(len(word) == 1 or singular(word) in _NAMING for word in re.findall(r"[A-Za-z]+", words))


def is_plain(word: str) -> bool:
    """Return whether a word names or describes a thing, and does nothing to a number before it."""
    return singular(word) in _KNOWN
