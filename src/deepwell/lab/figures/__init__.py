"""One figure a file: what it measures, and how it is drawn."""
