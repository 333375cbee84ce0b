"""Checks of the ensemble, a file a family."""
