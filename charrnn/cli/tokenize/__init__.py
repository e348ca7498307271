"""`charrnn tokenize`: inspect a corpus, train a tokenizer, encode or decode text.

command.py      handles the options and saves tokenizers
labelled.py     counts the examples and labels of labelled data
report.py       counts the characters and tokens of a corpus
token_text.py   converts between tokens and text, for --encode and --decode
"""
