"""Read files, folders and stdin, and split their text into documents.

sources.py      finds, decompresses and decodes files
documents.py    splits text into documents
characters.py   converts text to arrays of code points
size.py         measures the size of a text
"""
