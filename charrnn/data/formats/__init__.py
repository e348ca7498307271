"""Formats of labelled data: each file reads one kind of file and writes it back.

base.py         examples, formats, and what all of them share
detect.py       which format a file has
columns.py      the option `columns`: which columns are input and output
guessing.py     columns and task by names and values
table.py        rows of cells -> examples, and back
separated.py    TSV and CSV
jsonl.py        JSON Lines
fasttext.py     __label__x text
conll.py        CoNLL columns and CoNLL-U
dictionary.py   pronouncing dictionaries such as CMUdict
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
