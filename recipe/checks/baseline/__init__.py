"""Checks of the baseline, a file a family."""
