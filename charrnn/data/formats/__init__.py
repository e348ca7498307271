"""Formats of labelled data: how each kind of file is read and written.

base.py         the types of examples and formats, and what formats share
detect.py       detects the format of a file
columns.py      the option `columns`
guessing.py     guesses columns and task from names and values
table.py        converts rows of cells to examples and back
report.py       counts labels, repeated and contradictory examples
separated.py    TSV and CSV
jsonl.py        JSON Lines
fasttext.py     fastText: __label__x text
conll.py        CoNLL columns and CoNLL-U
dictionary.py   pronouncing dictionaries such as CMUdict
unlabelled.py   files without outputs, completed so that they can be read
parallel.py     two files, line by line
"""

from charrnn.registry import Registry

FORMATS = Registry(
    "format",
    {
        "tsv": "charrnn.data.formats.separated:TSV",
        "csv": "charrnn.data.formats.separated:CSV",
        "jsonl": "charrnn.data.formats.jsonl:JSONL",
        "fasttext": "charrnn.data.formats.fasttext:FASTTEXT",
        "conll": "charrnn.data.formats.conll:CONLL",
        "conllu": "charrnn.data.formats.conll:CONLLU",
        "dict": "charrnn.data.formats.dictionary:DICTIONARY",
        "parallel": "charrnn.data.formats.parallel:PARALLEL",
    },
)
