"""Labelled files that nobody wants to be given, made by code: one row each, by name."""

import json
from typing import NamedTuple


class Hostile(NamedTuple):
    """A file, the task that it is for, and further options."""

    task: str
    name: str
    data: bytes
    options: tuple[str, ...] = ()


def classify(text: str | bytes, *options: str, name: str = "data.tsv") -> Hostile:
    """Return a file for a classifier."""
    data = text.encode() if isinstance(text, str) else text
    return Hostile("classify", name, data, options)


def tag(text: str | bytes, *options: str, name: str = "data.conll") -> Hostile:
    """Return a file for a tagger."""
    return classify(text, *options, name=name)._replace(task="tag")


def translate(text: str | bytes, *options: str, name: str = "data.tsv") -> Hostile:
    """Return a file for a translator."""
    return classify(text, *options, name=name)._replace(task="translate")


def rows(count: int = 40, *, label: str = "") -> str:
    """Return lines of texts with a few labels, or with one."""
    return "".join(f"text {n * n}\t{label or 'abc'[n % 3]}\n" for n in range(count))


def sentences(count: int = 20, *, tags: tuple[str, ...] = ("A", "B", "C")) -> str:
    """Return lines of words and tags, with a blank line after every three."""
    return "".join(
        "".join(f"w{n}{k} {tags[(n + k) % len(tags)]}\n" for k in range(3)) + "\n"
        for n in range(count)
    )


def objects(*pairs: tuple[object, object]) -> str:
    """Return JSON Lines of inputs and outputs."""
    return "".join(json.dumps({"text": a, "label": b}) + "\n" for a, b in pairs)


ROWS = rows()
SENTENCES = sentences()
CSV = '"a ""quoted"", text\nover two lines, or\r\nmore",yes\nplain text,no\n'
LINES = ROWS.replace("\t", " and ").splitlines()

LABELLED: dict[str, Hostile] = {
    # --- columns
    "a row too short": classify(ROWS + "alone\n" + ROWS),
    "a row too long": classify(ROWS + "a\tb\tc\n" + ROWS),
    "ragged from the first row on": classify("a\nb\tc\nd\te\tf\n" * 9),
    "one column": classify("just text\n" * 30),
    "TABs at the ends of lines": classify(ROWS.replace("\n", "\t\n")),
    "TABs at their beginnings": classify("\t" + ROWS.replace("\n", "\n\t")[:-1]),
    "only TABs": classify("\t\t\n" * 30),
    "200 columns": classify(("\t".join(map(str, range(200))) + "\n") * 20),
    "200 columns, two of them chosen": classify(
        "".join(f"{n}\t{n % 2}" + "\tx" * 198 + "\n" for n in range(30)),
        *("--columns", "1,2"),
    ),
    "blanks for TABs": classify(ROWS.replace("\t", "    ")),
    "semicolons in CSV": classify(ROWS.replace("\t", ";"), name="data.csv"),
    "quotes over lines": classify("text,label\n" + CSV * 20, name="data.csv"),
    "a quote that never closes": classify(
        "text,label\n" + CSV * 9 + '"open,yes\n' + "a,b\n" * 99, name="data.csv"
    ),
    "text after a quote": classify("text,label\n" + 'a "b" c,"d" e\n' * 30,
        name="data.csv"),
    "only a header": classify("text,label\n", name="data.csv"),
    "a header that repeats": classify("text\tlabel\n" * 30),
    "two columns of one name": classify("text,text,label\n" + "a,b,c\n" * 30,
        name="data.csv"),
    # --- labels
    "one label": classify(rows(label="same")),
    "100,000 labels": classify("".join(f"text {n}\t{n}x\n" for n in range(100_000))),
    "1,000 labels": classify("".join(f"text {n}\t{n}x\n" for n in range(1000))),
    "a label per row": classify("".join(f"text {n}\tlabel {n}\n" for n in range(60))),
    "labels like numbers": classify(
        "".join(f"text {n}\t{(1, 1.0, '1e0', '01', 'nan', -0)[n % 6]}\n"
            for n in range(40))
    ),
    "labels that differ in case and blanks": classify(
        "".join(f"text {n}\t{('Yes', 'yes', 'yes ', ' yes')[n % 4]}\n"
            for n in range(40))
    ),
    "labels with controls": classify(ROWS.replace("\tb", "\t\x1b[31m\x00\x07b")),
    "labels of rich markup": classify(ROWS.replace("\tb", "\t[bold]b[/bold][/]")),
    "labels like special tokens": classify(
        ROWS.replace("\ta", "\t<unk>").replace("\tb", "\t<EOS>")
    ),
    "labels of blanks": classify(ROWS.replace("\ta", "\t ")),
    "a label of a megabyte": classify(ROWS + "text\t" + "long " * 200_000 + "\n"),
    "empty labels": classify(ROWS.replace("\tb", "\t")),
    "empty texts": classify(ROWS + "\ta\n"),
    "several fastText labels": classify(
        "__label__a __label__b text\n" * 30, name="data.txt"
    ),
    "a fastText label without text": classify(
        "__label__a text\n" * 30 + "__label__b\n", name="data.txt"
    ),
    # --- texts
    "no rows": classify(""),
    "only blank lines": classify("\n \n\n" * 9),
    "one row": classify("text\ta\n"),
    "two equal rows": classify("text\ta\n" * 2),
    "equal texts with other labels": classify(
        "".join(f"same\t{'abc'[n % 3]}\n" for n in range(30))
    ),
    "two texts with all labels": classify(
        "".join(f"{'xy'[n % 2]}\t{n}\n" for n in range(60))
    ),
    "a text of a megabyte": classify(ROWS + "word " * 200_000 + "\ta\n"),
    "a CSV cell of a megabyte": classify(
        "text,label\n" + CSV + ROWS.replace("\t", ",") + "word " * 200_000 + ",yes\n",
        name="data.csv",
    ),
    "texts of one character": classify(
        "".join(f"{chr(97 + n % 26)}\t{n % 2}\n" for n in range(60))
    ),
    "Latin-1": classify("caf\u00e9\t\u00e0 bas\nna\u00efve\thaut\n".encode("latin1")
        * 20),
    "Latin-1 in CSV": classify(
        b"text,label\n" + "caf\u00e9 \u201cx\u201d,bas\nna\u00efve,haut\n"
        .encode("cp1252") * 20, name="data.csv"
    ),
    "UTF-16": classify(ROWS.encode("utf-16")),
    "a mark": classify(b"\xef\xbb\xbf" + ROWS.encode()),
    "a mark in CoNLL": tag(b"\xef\xbb\xbf" + SENTENCES.encode()),
    "NUL": classify(ROWS.replace(" ", "\0")),
    "CRLF": classify(ROWS.replace("\n", "\r\n")),
    "CR": classify(ROWS.replace("\n", "\r")),
    "mixed line ends": classify(ROWS + ROWS.replace("\n", "\r\n")),
    "other line separators": classify(
        ROWS.replace(" ", "\u2028").replace("text", "a\x85\x0b\x0c\x1c\x1e")
    ),
    "right to left": classify(
        ROWS.replace("text", "\u202e\u05e9\u05dc\u05d5").replace("\tb", "\t\u0628")
    ),
    "emoji": classify(
        ROWS.replace("text", "\U0001f468\u200d\U0001f469\u200d\U0001f467")
        .replace("\tb", "\t\U0001f1e9\U0001f1ea")
    ),
    # --- tags
    "bare B and I": tag(sentences(tags=("O", "B", "I"))),
    "spans that begin with I": tag(sentences(tags=("O", "I-X", "I-Y"))),
    "blanks in words": tag(
        SENTENCES.replace(" ", "\t").replace("w", "a w"), name="data.tsv"
    ),
    "blanks and controls in tags": tag(
        SENTENCES.replace(" ", "\t").replace("A", "A A").replace("B", "\x0bB\x0c\x85B")
        .replace("C", "C\u2028\xa0C")
    ),
    "controls in words": tag(
        SENTENCES.replace(" ", "\t").replace("w", "w\x0b\x0c\x85\u2028\0\x1b[1m")
    ),
    "no blank lines": tag(SENTENCES.replace("\n\n", "\n")),
    "sentences of one word": tag(SENTENCES.replace("\n", "\n\n")),
    "a word of 10,000 letters": tag(SENTENCES + "x" * 10_000 + " A\n"),
    "a sentence of 10,000 words": tag(SENTENCES + "word A\n" * 10_000),
    "a word without a tag": tag(SENTENCES + "alone\n"),
    "a tag without a word": tag(SENTENCES.replace(" ", "\t") + "\tA\n"),
    "CoNLL-U of nine columns": tag(
        ("1" + "\tx" * 9 + "\n\n") * 20 + "1" + "\tx" * 8 + "\n", name="data.conllu"
    ),
    "tags that are missing in CoNLL-U": tag(
        ("1\tx\tx\t_" + "\tx" * 6 + "\n\n") * 20, name="data.conllu"
    ),
    "more words than tags": tag(
        "".join(f"the cat {n}\tDET NOUN{' NUM' * (n != 20)}\n" for n in range(30)),
        name="data.tsv",
    ),
    "lists of words": tag(
        objects(*[([f"a {n}", "b\nc", "d\te"], ["X", "Y Z", "X"]) for n in range(30)]),
        name="data.jsonl",
    ),
    "lists of other lengths": tag(
        objects(*[(["a", "b"], ["X"]) for n in range(30)]), name="data.jsonl"
    ),
    "tags <unk>": tag(sentences(tags=("A", "<unk>", "<EOS>"))),
    # --- JSON
    "JSON of everything": classify(
        objects(("a", 1), ("b", True), ("c", 1.5), ("d", "\ud800")), name="data.jsonl"
    ),
    "JSON of nothing": classify(objects(("a", None)), name="data.jsonl"),
    "deep JSON": classify(
        objects(("a", "b")) * 20 + "[" * 100_000 + "\n", name="data.jsonl"
    ),
    "JSON that is cut": classify(
        objects(("a", "b")) * 20 + '{"text": "a', name="data.jsonl"
    ),
    "JSON with other keys": classify(
        objects(("a", "b")) * 20 + '{"texts": "a"}\n', name="data.jsonl"
    ),
    # --- translations
    "an output of 3,000 characters": translate(
        "".join(f"{n}\t{n}th\n" for n in range(40)) + "x\t" + "long" * 750 + "\n"
    ),
    "empty outputs": translate("".join(f"{n}\t\n" for n in range(40))),
    "outputs with line ends": translate(
        "source,target\n" + "".join(f'{n},"a\n\n{n}\r\nb"\n' for n in range(40)),
        name="data.csv",
    ),
    "a source with many outputs": translate(
        "".join(f"{n % 2}\t{n}\n" for n in range(60))
    ),
    "every byte": translate(
        b"".join(b"%d\t%c\n" % (n, n) for n in range(256) if n not in (9, 10, 13))
    ),
    "only unknown characters": translate(
        "".join(f"{chr(0x4E00 + n)}\t{chr(0x5E00 + n)}\n" for n in range(60))
    ),
}  # fmt: skip
