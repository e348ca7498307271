"""The command line: a file or folder for each command, and what they share.

main.py        the program's start
app.py         the list of commands; errors become text and exit codes
arguments.py   options that several commands have
console.py     stdout is data, stderr is messages
loading.py     models and texts that commands read
train/  score/  compare/  tokenize/  sample.py  mix.py  runs.py  bench.py
               the commands
"""
