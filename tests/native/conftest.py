"""Without a compiled core there is nothing to test here but that Deepwell says so."""

from deepwell._native._core_module import available

collect_ignore_glob = [] if available() else ["test_native_*.py"]
