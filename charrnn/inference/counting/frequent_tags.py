"""The most frequent tag of each word, a baseline for taggers.

An unknown word gets the tag of its first known clue. The first clue is the same word in
another case. The next ones are its endings, longest first, among rare words of the same
shape (Brants 2000), because new words resemble rare words more than frequent ones. On
the development part of UD English EWT, 89.3% of the part-of-speech tags are right, or
86.1% if every unknown word gets the most frequent tag.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, Self

ENDING: Final = 3  #: longest ending, in letters
RARE: Final = 5  #: a rare word occurs at most this often

_ANY: Final = ""  #: the clue that every word has


class FrequentTags:
    """Gives each word its most frequent tag; blanks separate words and tags.

    words: the tag of each known word. clues: the tag for each clue of unknown words.
    """

    title = "most frequent tag"

    def __init__(self, words: Mapping[str, str], clues: Mapping[str, str]) -> None:
        self._words = words
        self._clues = clues

    @classmethod
    def fit(cls, sources: Sequence[str], targets: Sequence[str]) -> Self:
        """Count the tags of words. sources: sentences; targets: their tags."""
        words: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for source, target in zip(sources, targets, strict=True):
            for word, tag in zip(source.split(" "), target.split(" "), strict=True):
                words[word][tag] += 1
        clues: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for word, tags in words.items():
            same_word, *endings, anything = _clues(word)
            for clue in (same_word, anything):
                clues[clue].update(tags)
            for clue in endings if tags.total() <= RARE else ():
                clues[clue].update(tags)
        return cls(_most_frequent(words), _most_frequent(clues))

    def without_clues(self) -> "FrequentTags":
        """Return a tagger that gives every unknown word the most frequent tag."""
        return FrequentTags(self._words, {_ANY: self._clues[_ANY]})

    def predict(self, sources: Sequence[str]) -> list[str]:
        """Return the tags of sentences."""
        return [" ".join(map(self._tag, source.split(" "))) for source in sources]

    def _tag(self, word: str) -> str:
        if (tag := self._words.get(word)) is not None:
            return tag
        return next(self._clues[clue] for clue in _clues(word) if clue in self._clues)


def _clues(word: str) -> list[str]:
    """Return the clues to the tag of a word, best first."""
    is_number = any(character.isdigit() for character in word)
    shape = "9" if is_number else "A" if word[:1].isupper() else "a"
    lower = word.lower()
    ends = range(min(ENDING, len(lower)), -1, -1)
    return [f"={lower}", *(shape + lower[len(lower) - n :] for n in ends), _ANY]


def _most_frequent(counts: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Return the most frequent tag for each key; ties are broken by name."""
    return {
        key: min(tags, key=lambda tag: (-tags[tag], tag))
        for key, tags in counts.items()
    }
