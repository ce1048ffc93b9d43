"""A small grammar that writes thousands of sentences whose structure is known, for word vectors to find.

Words of one kind stand in the same places, and two words related in one way (king and man, paris and
france) differ in the same places, so a method that learns from contexts should find kinds and relations.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

SENTENCES = 4_000
SEED = 7


@dataclass(frozen=True, slots=True)
class Person:
    """A word for a person. `life` is what queen and king share, `sex` what king and man share."""

    word: str
    life: str  # "throne", "young royal", "plain", "young plain"
    sex: str  # "he" or "she"


PEOPLE = (
    Person("king", "throne", "he"),
    Person("queen", "throne", "she"),
    Person("prince", "young royal", "he"),
    Person("princess", "young royal", "she"),
    Person("man", "plain", "he"),
    Person("woman", "plain", "she"),
    Person("boy", "young plain", "he"),
    Person("girl", "young plain", "she"),
)
# capital, country, language, dish: the last two are what a capital shares with its own country only.
PLACES = (
    ("paris", "france", "french", "baguettes"),
    ("rome", "italy", "italian", "pasta"),
    ("madrid", "spain", "spanish", "paella"),
    ("athens", "greece", "greek", "moussaka"),
    ("warsaw", "poland", "polish", "pierogi"),
    ("tokyo", "japan", "japanese", "sushi"),
    ("budapest", "hungary", "hungarian", "goulash"),
    ("ankara", "turkey", "turkish", "baklava"),
)
# grown, young, where both live, what both do
ANIMALS = (
    ("dog", "puppy", "kennel", "barks"),
    ("cat", "kitten", "basket", "purrs"),
    ("cow", "calf", "pasture", "moos"),
    ("horse", "foal", "stable", "neighs"),
    ("sheep", "lamb", "fold", "bleats"),
    ("duck", "duckling", "pond", "quacks"),
    ("hen", "chick", "coop", "clucks"),
    ("lion", "cub", "den", "roars"),
)
FRUIT = ("apple", "pear", "peach", "plum", "cherry", "orange")
DRINKS = ("tea", "coffee", "juice", "water", "cocoa", "lemonade")
VEGETABLES = ("carrot", "onion", "cabbage", "potato", "leek", "turnip")

_LIVES = {
    "throne": ("sits on the throne", "rules the kingdom", "wears the heavy crown", "signs a new law"),
    "young royal": ("will inherit the palace", "rides through the royal park", "learns to reign one day"),
    "plain": ("works in the village", "drives to the office", "repairs the old house", "votes in the town"),
    "young plain": ("goes to school", "plays in the yard", "does homework", "learns to count"),
}
_SEXES = {
    "he": ("loves his wife", "shaves his beard", "himself", "he", "his"),
    "she": ("loves her husband", "braids her hair", "herself", "she", "her"),
}
_COUNTRY = (
    "the border of {} is long",
    "the army of {} marches",
    "farmers in {} grow wheat",
    "the national team of {} won",
)
_CAPITAL = (
    "the mayor of {} opens the bridge",
    "the underground of {} is crowded",
    "taxis in {} are slow",
    "the suburbs of {} are quiet",
)
_EITHER = ("people in {} speak {}", "a guide in {} explains it in {}")
_GROWN = (
    "the strong old {} guards its young",
    "the grown {} is heavy",
    "the {} feeds its young",
    "an adult {} is calm",
)
_YOUNG = (
    "the tiny {} was born today",
    "the newborn {} drinks milk",
    "the {} follows its mother",
    "a {} is playful",
)
_FRUIT = (
    "she picks a ripe {} from the tree",
    "he peels the sweet {}",
    "a {} fell from the branch",
    "the juicy {} is in the pie",
)
_DRINK = (
    "he pours {} into the cup",
    "she sips hot {}",
    "a glass of {} please",
    "they drink {} in the morning",
)
_VEGETABLE = (
    "he chops the {} for the soup",
    "she digs up a {} in the garden",
    "the {} boils in the pot",
    "fry the {} in oil",
)


def sentences(count: int = SENTENCES, seed: int = SEED) -> tuple[str, ...]:
    """`count` sentences in lower case without punctuation; the same seed gives the same sentences."""
    draw = random.Random(seed)
    kinds = (_person, _person, _place, _place, _animal, _animal, _food)
    return tuple(draw.choice(kinds)(draw) for _ in range(count))


def text(count: int = SENTENCES, seed: int = SEED) -> str:
    """The same as one text, a sentence a line."""
    return "\n".join(f"{sentence}." for sentence in sentences(count, seed))


def groups() -> dict[str, str]:
    """Word -> kind, for the words whose kind the grammar knows."""
    known = {p.word: "people" for p in PEOPLE}
    known |= {place[0]: "capitals" for place in PLACES} | {place[1]: "countries" for place in PLACES}
    known |= {animal[0]: "grown animals" for animal in ANIMALS}
    known |= {animal[1]: "young animals" for animal in ANIMALS}
    known |= dict.fromkeys(FRUIT, "fruit") | dict.fromkeys(DRINKS, "drinks")
    return known | dict.fromkeys(VEGETABLES, "vegetables")


def analogies() -> tuple[tuple[str, str, str, str], ...]:
    """Every a : b :: c : d that the grammar makes true, such as king : queen :: man : woman."""
    couples = [(PEOPLE[i].word, PEOPLE[i + 1].word) for i in range(0, len(PEOPLE), 2)]
    relations = (couples, [p[:2] for p in PLACES], [a[:2] for a in ANIMALS])
    return tuple((a, b, c, d) for pairs in relations for a, b in pairs for c, d in pairs if a != c)


def _person(draw: random.Random) -> str:
    person = draw.choice(PEOPLE)
    act = draw.choice(_LIVES[person.life])
    habit, groom, self_word, pronoun, own = _SEXES[person.sex]
    forms = (
        f"the {person.word} {act}",
        f"the {person.word} {act} and {pronoun} smiles",
        f"every morning the {person.word} {groom}",
        f"the {person.word} {habit}",
        f"the {person.word} {act} by {self_word}",
        f"{own} friend the {person.word} {act}",
    )
    return draw.choice(forms)


def _place(draw: random.Random) -> str:
    capital, country, language, dish = draw.choice(PLACES)
    is_capital = draw.random() < 0.5
    name = capital if is_capital else country
    if draw.random() < 0.5:
        return draw.choice(_CAPITAL if is_capital else _COUNTRY).format(name)
    if draw.random() < 0.5:
        return draw.choice(_EITHER).format(name, language)
    return f"in {name} we ate {dish}"


def _animal(draw: random.Random) -> str:
    grown, young, home, sound = draw.choice(ANIMALS)
    is_grown = draw.random() < 0.5
    name = grown if is_grown else young
    if draw.random() < 0.5:
        return draw.choice(_GROWN if is_grown else _YOUNG).format(name)
    return draw.choice((f"the {name} {sound} in the {home}", f"the {name} sleeps in the {home}"))


def _food(draw: random.Random) -> str:
    words, forms = draw.choice(((FRUIT, _FRUIT), (DRINKS, _DRINK), (VEGETABLES, _VEGETABLE)))
    return draw.choice(forms).format(draw.choice(words))
