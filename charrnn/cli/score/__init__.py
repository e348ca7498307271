"""cli/score."""
