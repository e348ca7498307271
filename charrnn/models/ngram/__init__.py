"""models/ngram."""
