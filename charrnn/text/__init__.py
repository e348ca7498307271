"""Text: files, folders and stdin, read as documents.

sources.py      finds files, decompresses and decodes them
documents.py    cuts text into documents
characters.py   text as arrays of code points
size.py         how large a text is
"""
