"""Text to ids and back: characters, bytes, words or subwords.

config.py                  what can be chosen
base.py                    the contract: a token is the bytes it adds
char.py  byte.py  word.py  one level each
subword.py                 SentencePiece pieces
subword_training.py        how these are learned
sentencepiece_process.py   SentencePiece's trainer, in a process of its own
loading.py                 learn a tokenizer, or read one from a file
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
