"""A model fitted to a user's own pictures: table, crops, held-out series, fine-tuning, export, report before and after."""
