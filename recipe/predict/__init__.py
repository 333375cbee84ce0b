"""The model that was taken home: its files, new inputs for it, and what it says of them."""

from recipe.predict.command import predict
from recipe.predict.taken_home import TakenHome, read_model

__all__ = ["TakenHome", "predict", "read_model"]
