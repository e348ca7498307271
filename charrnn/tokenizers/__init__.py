"""Tokenizers convert text to ids and back, by character, byte, word or subword.

config.py                  the options
base.py                    the contract: a token is the bytes that it adds to a text
char.py  byte.py  word.py  one level each
subword.py                 SentencePiece pieces
subword_training.py        how the pieces are learned
sentencepiece_process.py   SentencePiece's trainer, in a process of its own
loading.py                 learns a tokenizer, or reads one from a file
"""

from charrnn.registry import Registry

#: tokenizer classes by level
TOKENIZERS = Registry(
    "tokenizer",
    {
        "char": "charrnn.tokenizers.char:CharTokenizer",
        "byte": "charrnn.tokenizers.byte:ByteTokenizer",
        "word": "charrnn.tokenizers.word:WordTokenizer",
        "subword": "charrnn.tokenizers.subword:SubwordTokenizer",
    },
)
