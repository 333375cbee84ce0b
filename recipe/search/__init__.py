"""How tuning proposes changes: a protocol, the space, Optuna's samplers behind it, and the journalled loop."""
