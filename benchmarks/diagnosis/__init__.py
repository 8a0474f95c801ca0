"""B7: planted faults and clean runs, and what Deepwell says about them.

A *case* is what a user brings: rows and settings (`study.case`), or a training program of their own
in JAX (`program`). A *fault* changes a case purely, has one cause label of `labels.LABELS` and
three severities. `run` measures, `scoring` counts, `section` writes the docs.
"""
