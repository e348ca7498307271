"""The command line: a file or folder per command, plus the code that they share.

main.py        the entry point of the program
app.py         lists the commands; turns errors into text and exit codes
arguments.py   defines the options that several commands share
console.py     writes data to stdout and messages to stderr
loading.py     loads the models and texts that commands read
train/  predict/  score/  compare/  tokenize/  sample.py  mix.py  runs.py  bench.py
               the commands
"""
