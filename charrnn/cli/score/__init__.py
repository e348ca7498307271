"""`charrnn score`: report how likely texts are.

command.py   the options, and the scores of texts read from arguments, files or stdin
items.py     the tokens or words of a text, each with its surprisal
output.py    JSON, plain numbers, tables, colours
"""
