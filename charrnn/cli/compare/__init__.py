"""`charrnn compare`: rank models on the same text.

command.py   the options, the text and the baselines
output.py    messages, tables and JSON
"""
