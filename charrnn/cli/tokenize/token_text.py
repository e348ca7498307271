r"""Convert each line of text to a line of tokens (pieces or ids), and back.

A piece spells out the bytes of a token, so decoding it needs no vocabulary:

    text      a b\c
    pieces    a ▁ b \\ c

U+2581 stands for a space, \xNN for a byte, \uNNNN for a character, and \\ for a
backslash. <UNK> is the unknown token; a token with the text "<UNK>" becomes \<UNK>.
"""

import re
from typing import TYPE_CHECKING, Final

from charrnn.cli import console, loading
from charrnn.errors import TextError

if TYPE_CHECKING:
    from charrnn.tokenizers.base import Tokenizer

UNKNOWN: Final = "<UNK>"
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"
_SPELLED: Final = re.compile(rf"[\\{SPACE}\s\x00-\x1f\x7f-\x9f\udc80-\udcff]")
_SPELLING: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|([\\<]))", re.I)


def encode(
    paths: list[str], tokenizer: "Tokenizer", form: str, *, as_json: bool, quiet: bool
) -> None:
    """Write each line of text as a line of tokens, without adding a final newline.

    Warns about unknown tokens, because their text is lost.
    """
    names = [piece(tokenizer, token) for token in range(tokenizer.vocab_size)]
    unknown = 0
    for line, newline in loading.read_lines(paths, raw=tokenizer.level == "byte"):
        encoded = tokenizer.encode(line)
        found = tokenizer.count_unknown(encoded)
        if found and tokenizer.decode(encoded) != tokenizer.normalise(line):
            unknown += found  # even if the text itself contains <unk>
        ids = encoded.tolist()
        if as_json:
            shown = [tokenizer.piece(token) for token in ids]
            console.write_json({"text": line, "ids": ids, "pieces": shown})
        else:
            words = map(str, ids) if form == "ids" else (names[token] for token in ids)
            console.write(" ".join(words) + newline)
    if unknown:
        console.warn(
            f"the text of {console.plural(unknown, 'unknown token')} is lost",
            quiet=quiet,
        )


def decode(paths: list[str], tokenizer: "Tokenizer", form: str) -> None:
    """Write each line of tokens as a line of text with exactly the original bytes."""
    for number, (line, newline) in enumerate(loading.read_lines(paths, raw=False), 1):
        words = line.split()
        if form == "ids":
            data = tokenizer.decode_bytes(_ids(words, tokenizer.vocab_size, number))
        else:
            data = tokenizer.join(_pieces(words, number))
        # control characters are spelled out on a terminal, but not in a pipe
        console.write(data.decode("utf-8", "surrogateescape") + newline)


def piece(tokenizer: "Tokenizer", token: int) -> str:
    """Return a token as a word without white space; `piece_bytes` reverses this."""
    text = tokenizer.token_bytes(token).decode("utf-8", "surrogateescape")
    if token == tokenizer.unknown and text == REPLACEMENT:  # not at level symbol
        return UNKNOWN
    word = _SPELLED.sub(_spell, text)
    return f"\\{word}" if word == UNKNOWN else word


def piece_bytes(word: str) -> bytes:
    """Return the bytes of a piece."""
    if word == UNKNOWN:
        return REPLACEMENT.encode()
    text = _SPELLING.sub(_unspell, word.replace(SPACE, " "))
    return text.encode("utf-8", "surrogateescape")


def _spell(match: re.Match[str]) -> str:
    character = match[0]
    if character in (" ", "\\"):
        return SPACE if character == " " else "\\\\"
    code = ord(character)
    is_byte = code < 0x80 or code >= 0xDC80  # codes from 0xDC80 stand for invalid bytes
    return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"


def _unspell(match: re.Match[str]) -> str:
    byte, code, itself = match.groups()
    if byte:
        return bytes.fromhex(byte).decode("utf-8", "surrogateescape")
    return chr(int(code, 16)) if code else str(itself)


def _ids(words: list[str], vocab_size: int, number: int) -> list[int]:
    for word in words:
        # int() alone would accept underscores, signs and other digits
        is_id = word.isascii() and word.isdecimal() and len(word) < 20
        if not is_id or int(word) >= vocab_size:
            raise TextError(
                f"line {number:,}: {console.quoted(word)} is not an id from 0 to "
                f"{vocab_size - 1:,}",
                hint="to decode pieces, omit --as ids",
            )
    return [int(word) for word in words]


def _pieces(words: list[str], number: int) -> list[bytes]:
    try:
        return [piece_bytes(word) for word in words]
    except UnicodeEncodeError as error:
        code = ord(error.object[error.start])
        raise TextError(
            f"line {number:,}: \\u{code:04x} is half of a surrogate pair",
            hint="write a character above \\uffff as itself",
        ) from error
