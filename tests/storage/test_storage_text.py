import json
import math

import numpy as np
import pytest

from deepwell.records import Estimate
from deepwell.storage._text import from_json, storable, to_json


def test_plain_values_records_and_numpy_numbers():
    value = {
        "e": Estimate(0.5, 0.25, 1.0),
        "n": np.int32(3),
        "f": np.float64(0.5),
        "b": np.bool_(1),
    }
    text = to_json(value)
    estimate = {"value": 0.5, "low": 0.25, "high": 1.0}
    assert json.loads(text) == {"e": estimate, "n": 3, "f": 0.5, "b": True}
    assert to_json({"b": 1, "a": 2}) == to_json({"a": 2, "b": 1})


def test_numbers_that_json_lacks_become_texts():
    values = [math.nan, math.inf, -math.inf, np.float32("nan")]
    assert from_json(to_json(values)) == ["nan", "inf", "-inf", "nan"]


def test_text_is_ascii_and_comes_back():
    text = "\udc80\0\u202eé'\"\\"
    assert to_json(text).isascii()
    assert from_json(to_json(text)) == text


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="not JSON serializable"):
        to_json({"x": object()})


def test_storable_text():
    assert storable("a\0b\ud800c\udcff é\u202e") == "a?b?c? é\u202e"
