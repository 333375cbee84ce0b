"""Checks of inspect-data, a file a family."""
