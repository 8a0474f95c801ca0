"""How Deepwell itself is measured."""
