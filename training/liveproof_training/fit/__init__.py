"""A training run: step, schedule, checkpoints, log, several processes."""
