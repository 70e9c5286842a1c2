"""Pictures of live faces and of attacks simulated as batches of tensors, on a GPU fast enough to draw every training picture anew."""
