"""The entities that a sequence of tags marks, as conlleval interprets them.

A tag is O, or a prefix and a type, such as B-person. BIO tags have the prefixes B and
I; BIOES tags also have E (the end of an entity) and S (a single word). L and U in BILOU
are treated as E and S. A tag continues the previous entity if that entity is open (its
last prefix is B or I), both have the same type, and the tag's prefix is I or E.
Otherwise the tag begins an entity, even if its prefix is I.
"""

from collections.abc import Iterable, Sequence
from typing import Final

OUTSIDE: Final = "O"
BEGIN, INSIDE, END, SINGLE = "B", "I", "EL", "SU"
PREFIXES: Final = BEGIN + INSIDE + END + SINGLE

#: type, index of the first word, index after the last word
Span = tuple[str, int, int]


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities in order. Tags of no known form are outside all entities."""
    found: list[Span] = []
    is_open = False
    for index, tag in enumerate(tags):
        prefix, _, kind = tag.partition("-")
        if not is_span_tag(tag):
            is_open = False
            continue
        if is_open and prefix in INSIDE + END and kind == found[-1][0]:
            found[-1] = (kind, found[-1][1], index + 1)
        else:
            found.append((kind, index, index + 1))
        is_open = prefix in BEGIN + INSIDE
    return found


def is_span_tag(tag: str) -> bool:
    """Return whether a tag is inside an entity, such as B-person or a bare B."""
    prefix = tag.partition("-")[0]
    return len(prefix) == 1 and prefix in PREFIXES


def are_span_tags(tags: Iterable[str]) -> bool:
    """Return whether tags mark entities: all are typed or O, or all are B, I or O."""
    inside = set(tags) - {OUTSIDE}
    is_typed = all(is_span_tag(tag) and "-" in tag for tag in inside)
    return bool(inside) and (is_typed or inside <= {BEGIN, INSIDE})
