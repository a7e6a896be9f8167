"""The languages of LingoBandit and LingoGrid: words, word orders, and which (language, task) pairs are drawn.

All languages say the same: "please the red ball". Each has words of its own, no two have one in common, and one of two orders: English,
German and Finnish put the colour before the thing, Spanish, French and Indonesian behind it (and "please" at the end). Grammar ends there:
one article for all things, no accents. What is to be done
with the object is no part of the sentence. A target token names it, the same in every language, as the first word of the input, as
``<2es>`` does for the translators of Johnson et al. (2017): "2next please the red ball". (No angle brackets: they would be words of their
own.) So an agent can be asked for a task in a language in which it was never asked for it: a held-out pair, zero-shot.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rlcourse.core.arguments import checked
from rlcourse.core.box import kernel
from rlcourse.core.config import Count, whole

__all__ = ["LANGUAGES", "TELLS", "checked_pairs", "drawn_below", "drawn_pair", "lingo_pairs", "token_tables", "vocabulary", "write_mission"]

COLORS, KINDS = ("red", "green", "blue", "yellow"), ("ball", "key", "box", "cup")  # as English calls them
LANGUAGES = {  # the words for: the, please, four colours, four kinds
    "english": ("the", "please", *COLORS, *KINDS),
    "spanish": ("el", "favor", "rojo", "verde", "azul", "amarillo", "pelota", "llave", "caja", "taza"),
    "german": ("den", "bitte", "roten", "gruenen", "blauen", "gelben", "ballen", "schluessel", "kasten", "becher"),
    "french": ("le", "merci", "rouge", "vert", "bleu", "jaune", "ballon", "clef", "boite", "verre"),
    "finnish": ("tuo", "kiitos", "punainen", "vihrea", "sininen", "keltainen", "pallo", "avain", "laatikko", "kuppi"),
    "indonesian": ("itu", "tolong", "merah", "hijau", "biru", "kuning", "bola", "kunci", "kotak", "cangkir"),
}
ARTICLE, PLEASE, COLOR, KIND = range(4)
ORDERS = ((PLEASE, ARTICLE, COLOR, KIND), (ARTICLE, KIND, COLOR, PLEASE))  # of the even languages, of the odd ones
TELLS = ("token", "onehot", "none")  # how the task is told: the text's first word, a part "task" of its own, not at all


@checked
def lingo_pairs(split: str = "all", languages: Count = 4, tasks: Count = 4) -> np.ndarray:
    """Return which (language, task) pairs a split draws, bool [languages, tasks]; the others are held out.

    Parameters
    ----------
    split : {"all", "diagonal", "two", "english"}
        "diagonal" holds out one task in each language; with "two", a language is heard with two tasks; with "english" the first language is
        heard with all tasks and the others with the first one only, as translators have Japanese and Korean to and from English only.
    languages, tasks : int
    """
    language, task = np.arange(languages)[:, None], np.arange(tasks)
    shift = (task - language) % tasks
    found = {
        "all": shift >= 0,
        "diagonal": shift != 0,
        "two": shift < 2,
        "english": (language == 0) | (task == 0),
    }
    if split not in found:
        raise ValueError(f"split must be one of {', '.join(found)}, not {split!r:.60}")
    return found[split]


def vocabulary(languages: int, targets: tuple[str, ...]) -> tuple[str, ...]:
    """Return all words in the order of their tokens: targets, then those of each language."""
    return (*targets, *(word for words in list(LANGUAGES.values())[:languages] for word in words))


def token_tables(languages: int, tasks: int) -> dict[str, np.ndarray]:
    """Return the fields of a world that hold tokens.

    Returns
    -------
    targets : ndarray of int64, shape [tasks]
    words : ndarray of int64, shape [languages, 10]
        The article, please, the colours, the kinds.
    orders : ndarray of int64, shape [languages, 4]
        What stands in each place: 0 the article, 1 please, 2 the colour, 3 the kind.
    """
    first = 2 + np.arange(tasks)
    words = 2 + tasks + np.arange(10 * languages).reshape(languages, 10)
    return {"targets": first, "words": words, "orders": np.array([ORDERS[k % 2] for k in range(languages)])}


def checked_pairs(pairs: Any, languages: int, tasks: int, colors: int, kinds: int, tell: str) -> np.ndarray:
    """Return a table of pairs by its name or as it is, or raise ValueError where a world cannot be made."""
    for name, number, most in (("languages", languages, len(LANGUAGES)), ("tasks", tasks, 4), ("colors", colors, 4), ("kinds", kinds, 4)):
        least = 2 if name in ("colors", "kinds") else 1
        whole(name, number, least, most)
    if not isinstance(tell, str) or tell not in TELLS:
        raise ValueError(f"tell must be one of {', '.join(TELLS)}, not {tell!r:.60}")
    if isinstance(pairs, str):
        return lingo_pairs(pairs, languages, tasks)
    try:
        table = np.array(pairs)
    except ValueError:  # rows of different lengths
        table = np.zeros(0)
    if table.shape != (languages, tasks) or table.dtype != np.bool_:
        raise ValueError(f"pairs must be a split's name, or a table of {languages} rows (languages) of {tasks} True or False (tasks)")
    if not table.any():
        raise ValueError("pairs must be true somewhere: with none to draw there is no mission")
    return table


@kernel
def drawn_below(n, rng):
    """Return a whole number from 0 to n - 1, all alike."""
    return int(n * rng.random())


@kernel
def drawn_pair(pairs, rng):
    """Return a language and a task whose pair is in the table, all alike."""
    languages, tasks = pairs.shape
    left = drawn_below(pairs.sum(), rng)
    for language in range(languages):
        for task in range(tasks):
            if pairs[language, task]:
                if left == 0:
                    return language, task
                left -= 1
    return 0, 0


@kernel
def write_mission(seen, length, target, words, order, color, kind):
    """Write a mission's tokens into the first `length` entries: the target unless it is 0, then the words in their order."""
    at = 0
    if target > 0:
        seen[0] = target
        at = 1
    for place in range(4):
        if at < length:
            part = order[place]
            seen[at] = words[2 + color] if part == 2 else words[6 + kind] if part == 3 else words[part]
        at += 1
