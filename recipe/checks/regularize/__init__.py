"""Checks of regularize: what was given up, what was gained, and what the net's parts do to each other."""
