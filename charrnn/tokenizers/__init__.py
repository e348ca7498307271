"""Tokenizers convert text to ids and back, by character, word, symbol, label ...

config.py                  the options
base.py                    the contract: a token is the bytes that it adds to a text
char.py  byte.py  word.py  one level each
symbol.py                  what blanks separate: words of PTB files, phones, tags
features.py                a word by character, then its features
label.py                   the whole text is one token: a class
hangul.py                  Korean syllables to letters, and back
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
        "symbol": "charrnn.tokenizers.symbol:SymbolTokenizer",
        "features": "charrnn.tokenizers.features:FeatureTokenizer",
    },
    hidden={
        "label": "charrnn.tokenizers.label:LabelTokenizer",
        "jamo": "charrnn.tokenizers.hangul:JamoTokenizer",
    },
)
