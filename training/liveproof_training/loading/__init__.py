"""From tables and crops to batches."""
