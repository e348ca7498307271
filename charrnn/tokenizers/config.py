"""How text becomes tokens."""

from dataclasses import dataclass
from functools import partial
from typing import Final

from charrnn.fields import CORPUS, check, option
from charrnn.tokenizers import TOKENIZERS

SUBWORD_KINDS: Final = ("unigram", "bpe")
DEFAULT_MIN_COUNT: Final = 2

#: the field of every config with an option for a saved tokenizer
tokenizer_file = partial(
    option,
    "",
    metavar="FILE",
    group=CORPUS,
    help="Tokenizer saved by `charrnn tokenize -o`, or a SentencePiece .model.",
)


@dataclass(frozen=True)
class TokenizerConfig:
    """How text becomes tokens; 0 means the default of the level."""

    level: str = option(
        "char",
        choices=TOKENIZERS,
        group=CORPUS,
        help="Unit of text that a token stands for.",
    )
    output_level: str = option(
        "",
        choices=TOKENIZERS,
        group=CORPUS,
        shown="chosen from the data",
        help="The same for the outputs of a translator.",
    )
    vocab_size: int = option(
        0,
        at_least=0,
        group=CORPUS,
        shown="no limit for char, 20,000 for word and for symbol without <unk>, "
        "2,000 for subword",
        help="Maximum number of tokens in the vocabulary.",
    )
    min_count: int = option(
        0,
        at_least=1,
        group=CORPUS,
        shown=f"{DEFAULT_MIN_COUNT}; 1 for symbol with <unk> or under 1,000 symbols",
        help="Characters and words that occur fewer times than this are unknown.",
    )
    subword: str = option(
        "unigram",
        choices=SUBWORD_KINDS,
        group=CORPUS,
        help="Algorithm that learns subwords.",
    )

    def __post_init__(self) -> None:
        check(self)
