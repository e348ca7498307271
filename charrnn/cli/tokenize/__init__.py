"""cli/tokenize."""
