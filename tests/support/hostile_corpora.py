"""Corpora that nobody wants to be given, made by code: one row each, by name."""

import unicodedata

PROSE = "it was a dark and stormy night; the rain fell in torrents. " * 12
LINES = "".join(f"line {k} of it\n" for k in range(40))

CORPORA: dict[str, bytes] = {
    "NUL": PROSE.replace(" ", "\0").encode(),
    "only NUL": bytes(400),
    "invalid UTF-8 in the middle": PROSE.encode() + b"\xff\xfe\x80" + PROSE.encode(),
    "invalid UTF-8 at the end": PROSE.encode() + b"\xe2\x82",
    "overlong UTF-8": PROSE.encode() + b"\xc0\xaf" * 9,
    "surrogates in UTF-8": PROSE.encode() + b"\xed\xa0\x80\xed\xb0\x80",
    "Latin-1": "naïve café, señor. ".encode("latin1") * 30,
    "every byte": bytes(range(256)) * 4,
    "UTF-16 with a mark": PROSE.encode("utf-16"),
    "UTF-16 big-endian": b"\xfe\xff" + PROSE.encode("utf-16-be"),
    "UTF-16 without a mark": PROSE.encode("utf-16-le"),
    "UTF-32": PROSE.encode("utf-32"),
    "mark": b"\xef\xbb\xbf" + PROSE.encode(),
    "marks in the middle": ("\ufeff" + PROSE[:60]).encode() * 9,
    "CRLF": LINES.replace("\n", "\r\n").encode(),
    "CR": LINES.replace("\n", "\r").encode(),
    "mixed line ends": (LINES + LINES.replace("\n", "\r\n") + LINES.replace("\n", "\r")
        ).encode(),
    "only newlines": b"\n" * 500,
    "only spaces": b" " * 500,
    "tabs and other spaces": "a\tb\vc\fd\x85e\xa0f\u3000g ".encode() * 40,
    "composed and not": ("é ñ ü " + unicodedata.normalize("NFD", "é ñ ü ")).encode()
        * 30,
    "marks on one letter": ("a" + "\u0301" * 300 + " ").encode() * 4,
    "families of emoji": "👨‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ".encode() * 30,
    "flags": "🇩🇪🇫🇷🇯🇵 ".encode() * 40,
    "bidirectional controls": "\u202eabc\u202c \u2067def\u2069 ".encode() * 40,
    "Arabic and Hebrew": "مرحبا بالعالم שלום עולם ".encode() * 30,
    "other line separators": "one\u2028two\u2029three\x85four\x1c ".encode() * 30,
    "escape sequences": b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J " * 30,
    "carriage returns and backspaces": b"secret\rpublic\b\b\b " * 30,
    "one character": b"a" * 500,
    "two characters": b"ab" * 300,
    "65,536 characters": "".join(
        chr(k) for k in range(32, 67_616) if not 0xD800 <= k < 0xE000
    )[:65_536].encode(),
    "characters beyond the first plane": "".join(map(chr, range(0x1F300, 0x1F600))
        ).encode(),
    "private use": ("\ue000\uf8ff\U000f0000" * 100).encode(),
    "no characters": ("\ufffe\uffff\U0010ffff" * 100).encode(),
    "rich markup": b"[bold red]hello[/bold red] [/] [link=x]y[/link] [[] " * 20,
    "special tokens": b"<s> </s> <unk> <pad> <EOS> <UNK> <0x41> <|endoftext|> " * 20,
    "marks of SentencePiece": "\u2581a\u2581\u2581b \u2585c ".encode() * 40,
    "JSON and templates": b'{"a": [1, "\\u0000"]} {{ x }} ${HOME} %s %n `id` ' * 20,
    "one giant line": PROSE.encode() * 300,
    "one giant word": b"abcdefghij" * 10_000,
    "digits": b"31415926535897932384626433832795 " * 30,
}  # fmt: skip
