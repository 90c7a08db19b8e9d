"""Translate batches of segments: engines, models, the fidelity layer, and the worker process."""
