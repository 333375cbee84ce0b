"""The one loop and what it needs: learner, batches, schedules, regularizers, checkpoints, seeding."""
