"""What each command does, a file for each group of them. Light to import: Hydra and the wings come when needed."""
