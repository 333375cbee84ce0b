"""What a loss means: one file a task; task.py is their contract."""
