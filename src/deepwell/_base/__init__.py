"""Errors, constraints, hyperparameter declarations, the registry and the coordinate hash: floor 0.

Imports nothing of Deepwell and nothing heavier than NumPy.
"""
