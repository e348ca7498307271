"""How runs and models are stored on disk.

files.py     atomic writes, appends and locks; no other module writes files
tensors.py   tensors and JSON values in one verified .safetensors file
runs.py      run folders: what they contain, and how to find them by name
records.py   the typed content of run.json
"""
