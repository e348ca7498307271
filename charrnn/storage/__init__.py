"""Storage: how runs and models are kept on disk.

files.py     atomic writes, appends and locks; every file is written here
tensors.py   tensors and JSON values in one verified .safetensors file
runs.py      run folders: what they hold, and finding them by name
records.py   the typed content of run.json
"""
