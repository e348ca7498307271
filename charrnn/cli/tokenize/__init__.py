"""`charrnn tokenize`: inspect a corpus, train a tokenizer, encode or decode.

command.py      the options, and saved tokenizers
report.py       counts of a corpus and its tokens
token_text.py   tokens as text and back, for --encode and --decode
"""
