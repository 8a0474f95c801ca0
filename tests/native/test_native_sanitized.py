"""The core under the address and undefined-behavior sanitizers, at every instruction set."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMPILER = shutil.which("c++") or shutil.which("g++")

pytestmark = pytest.mark.slow

PROGRAM = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("deepwell._native._core", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
sys.path.insert(0, {folder!r})
from test_native_core import *
from deepwell.networks._activations import ACTIVATIONS
from deepwell.optimization._registry import OPTIMIZERS

SCORES = {{"softmax": ["error", "log_loss", "balanced_error", "f1", "auc"],
          "logistic": ["error", "f1", "auc"], "squared": ["rmse", "mae", "r2"]}}
rng = np.random.default_rng(0)
for loss, scores in SCORES.items():
    for score in scores:
        outputs = 3 if loss == "softmax" else 1
        data = rows(classes=3 if loss == "softmax" else 2)
        p = NativeProgram(structure(loss=loss, score=score, outputs=outputs), data)
        members = [
            Member(Architecture(5, hidden, outputs, a, 0.1, loss, dropout=(0.2,) * len(hidden)),
                   o, "he", 1, NUMBERS, decay="inverse_time", dtype=dtype)
            for a in ACTIVATIONS for o in OPTIMIZERS
            for hidden in ((), (1,), (17, 33), (70, 3)) for dtype in ("float32", "float64")
        ]
        members += [
            Member(Architecture(5, hidden, outputs, a, 0.1, loss, 3 if a == "maxout" else 1, norm,
                                1e-5, residual, (0.2,) * len(hidden), 0.1, residual == 1),
                   o, "he", 1, {{**NUMBERS, "clip_norm": clip, "gradient_noise": clip}},
                   dtype=dtype)
            for a in ("maxout", "relu", "tanh") for norm in ("none", "before", "after")
            for residual in (0, 1, 2) for o, clip in (("sgd", 0.0), ("adam", 0.3))
            for hidden in ((), (1, 2), (17, 33, 5)) for dtype in ("float32", "float64")
        ]
        session = p.load(members, [initial_state(m) for m in members])
        for epoch, batch in enumerate((1, 7, 64, 300), 1):
            session.advance(Chunk(rng.integers(0, 31, (2, batch)).astype(np.int32), epoch))
        p.evaluate(members, session.states())
for dtype in ("float32", "float64"):
    for shape in ((1, 1), (17, 3), (64, 70)):
        at = (2**32 - 1, 2**32 - 5, 2**32 - 2)
        module.mask_words(p.simd, dtype, (2**32 - 1, 0), 2**40, at, np.zeros(shape, np.uint32))
print("clean")
"""


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    if COMPILER is None or shutil.which("cmake", path=_tools()) is None:
        pytest.skip("needs a C++ compiler and CMake")
    folder = tmp_path_factory.mktemp("sanitized")
    environment = {**os.environ, "PATH": _tools()}
    configure = ["cmake", "-S", str(ROOT), "-B", str(folder), "-DCMAKE_BUILD_TYPE=Debug",
                 "-DDEEPWELL_SANITIZE=address,undefined", "-DDEEPWELL_STRICT=ON",
                 f"-DPython_EXECUTABLE={sys.executable}"]  # fmt: skip
    subprocess.run(configure, check=True, capture_output=True, env=environment)
    subprocess.run(["cmake", "--build", str(folder), "--target", "_core", "--parallel", "2"],
                   check=True, capture_output=True, env=environment)  # fmt: skip
    (module,) = folder.glob("_core*.so")
    return module


def _tools():
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.mark.parametrize("level", ["plain", "avx2", "avx512"])
def test_nothing_is_out_of_bounds_or_undefined(sanitized, level):
    from deepwell._native import _core_module

    if level not in _core_module.core().levels():
        pytest.skip("this machine cannot run it")
    runtime = subprocess.run([COMPILER, "-print-file-name=libasan.so"], capture_output=True,
                             text=True, check=True)  # fmt: skip
    program = PROGRAM.format(folder=str(Path(__file__).parent))
    done = subprocess.run(
        [sys.executable, "-c", program, str(sanitized)],
        env={
            **os.environ,
            "DEEPWELL_SIMD": level,
            "LD_PRELOAD": runtime.stdout.strip(),
            "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter leaves memory behind
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert done.stdout.strip() == "clean"
