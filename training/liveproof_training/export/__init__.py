"""Files under the model contract: precisions, parity, golden scores, speed."""
