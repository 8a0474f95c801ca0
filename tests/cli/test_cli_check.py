from __future__ import annotations

from pathlib import Path

import pytest

FILE = """
import numpy as np
import deepwell as dw

x, y = np.random.default_rng(0).normal(size=(20, 3)), np.ones(20)


def cost(t):
    return ((x @ t["w"] + t["b"] - y) ** 2).mean()


def gradient(t):
    apart = 2 * (x @ t["w"] + t["b"] - y) / len(y)
    return {"w": x.T @ apart, "b": apart.sum()}


START = {"w": np.zeros(3), "b": 0.0}


def right():
    print("said by the file")
    return cost, gradient, START


def wrong():
    return cost, lambda t: {k: 20 * v for k, v in gradient(t).items()}, START


def in_jax():
    import jax.numpy as jnp

    return lambda p, x: jnp.tanh(x @ p["w"]).var(), {"w": np.ones(3)}, x


def finished():
    return dw.check_gradients_of(cost, gradient, START, steps=0)


def breaks():
    return lambda t: t @ x, lambda t: t, np.ones(4)


def takes(what):
    return cost, gradient, START


def leaves():
    raise SystemExit(0)


def two_functions():
    return cost, gradient


def nothing():
    pass


def number():
    return 3.0, gradient, START


other = right
DATA = 3
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    return str(path)


@pytest.mark.parametrize("name", ["right", "in_jax", "finished", "other"])
def test_a_right_gradient(deepwell, file: str, name: str) -> None:
    told = deepwell("check", f"{file}:{name}")
    assert told.code == 0
    assert told.out.startswith("gradient  right, relative error ")
    assert max(map(len, told.out.splitlines())) <= 80
    assert told.err == ("said by the file\n" if name in ("right", "other") else "")


def test_a_wrong_gradient(deepwell, file: str) -> None:
    told = deepwell("check", f"{file}:wrong")
    assert told.code == 1
    lines = told.out.splitlines()
    assert lines[0].startswith("gradient  wrong, relative error 9.0e-01 (worry)")
    assert lines[2] == "in common it is 20 times too large: a sum where a mean is meant?"
    assert any(line.startswith("at the start: cost 1,") for line in lines)


def test_json(deepwell, file: str) -> None:
    told = deepwell("check", f"{file}:wrong", "--steps", "0", "--seed", "3", "--json")
    assert told.code == 1
    assert told.json["target"] == f"{file}:wrong"
    assert told.json["verdict"] == "wrong"
    assert told.json["wrong_blocks"] == ["w", "b"]
    assert [point["where"] for point in told.json["points"]] == ["at the start"]
    assert deepwell("check", f"{file}:right", "--json").json["verdict"] == "right"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("{}:rihgt", 'has no function rihgt; did you mean "right"?; it has cost, gradient, right'),
        ("{}", "name a function too, as in "),
        ("{}:two words", "no such file"),
        ("no.py:right", 'no such file: "no.py"'),
        ("{}:takes", "takes must take no arguments: missing a required argument: 'what'"),
        ("{}:DATA", "DATA must be a function, got int"),
        ("{}:nothing", "nothing must return (cost, gradient, theta), (loss, params, ...) or"),
        ("{}:number", "got 3 things, a float first"),
        ("{}:two_functions", "must return three things with a gradient"),
        ("{}:breaks", "mine.py line 40 raised ValueError: matmul"),
        ("{}:leaves", "mine.py line 48 raised SystemExit: 0"),
    ],
)
def test_misuse(deepwell, file: str, target: str, said: str) -> None:
    told = deepwell("check", target.format(file))
    assert told.code == 2
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1


def test_a_table_is_no_python_file(deepwell, file: str) -> None:
    table = Path(file).with_name("data.csv")
    table.write_text("a,b\n1,2\n")
    told = deepwell("check", f"{table}:right")
    assert told.code == 2
    assert told.err.endswith('data.csv" is no Python file; name one as in layers.py:softmax\n')


def test_options_belong_to_what_is_still_to_be_checked(deepwell, file: str) -> None:
    told = deepwell("check", f"{file}:finished", "--steps", "3")
    assert told.code == 2
    assert "`--steps` is for a function that returns what to check" in told.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(:\n", "line 1 is no Python: invalid syntax"),
        ("import no_such_module_at_all\ndef f(): pass\n", "line 1 raised ModuleNotFoundError"),
        ("x = 1\n", "name a function too, as in"),
    ],
)
def test_a_file_that_cannot_be_run(deepwell, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(text)
    target = f"{path}:f" if "def" in text else str(path)
    told = deepwell("check", target)
    assert told.code == 2
    assert said in told.err


def test_a_file_beside_it_can_be_imported(deepwell, tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text(
        "import numpy as np\n"
        "def pair(): return lambda w: (w**2).sum(), lambda w: 2 * w, np.ones(2)\n"
    )
    (tmp_path / "main_file.py").write_text("from beside_it import pair\n")
    assert deepwell("check", f"{tmp_path / 'main_file.py'}:pair").code == 0
