"""Small standard nets. Each takes `input_shape` and `num_outputs`, and returns raw outputs (logits)."""
