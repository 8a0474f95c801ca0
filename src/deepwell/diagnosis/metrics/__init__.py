"""The metrics, one a file; `diagnosis/_metrics.py` lists them by name."""
