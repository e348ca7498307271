"""cli/compare."""
