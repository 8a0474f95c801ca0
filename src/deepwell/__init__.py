"""Deepwell makes deep neural networks better."""
