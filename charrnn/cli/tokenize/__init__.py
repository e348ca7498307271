"""`charrnn tokenize`: inspect a corpus, learn a tokenizer, encode, decode.

command.py      the options, and saved tokenizers
report.py       the counts of a corpus and of its tokens
token_text.py   tokens as text and back, for --encode and --decode
"""
