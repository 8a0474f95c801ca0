import subprocess
import sys
from pathlib import Path

import deepwell.data as data


def test_every_public_name_is_there() -> None:
    for name in dir(data):
        assert getattr(data, name) is not None


def test_importing_the_facade_loads_nothing_heavy() -> None:
    code = (
        "import sys, deepwell.data; "
        "print([m for m in ('jax', 'polars', 'numpy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_loading_needs_no_jax(tmp_path: Path) -> None:
    code = (
        "import sys, deepwell.data as d; "
        "d.load((__import__('numpy').arange(60.0).reshape(20, 3) ** 1.5, [0, 1] * 10), "
        f"vault={str(tmp_path / 'vault')!r}); "
        "print('jax' in sys.modules, 'sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"
