"""Karpathy's "A Recipe for Training Neural Networks", as a command line that runs it."""

__version__ = "0.1.0"
