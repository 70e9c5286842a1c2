"""The paper: levels, exchange, score, losses, gradient reversal, and the encoders under it."""
