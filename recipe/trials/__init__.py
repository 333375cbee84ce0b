"""Many trainings of one idea: run here or in worker processes, resumed, compared on paired seeds."""
