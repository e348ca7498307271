"""cli/train."""
