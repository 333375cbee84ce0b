"""Checks of overfit: does a net fit the training set, and if not, why not."""
