"""Trackers: finished stages told to TensorBoard, MLflow or Weights & Biases. The run directory stays the truth."""
