import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.search import choice, integer, log, one_minus_log, parse_entry, uniform
from deepwell.search.spaces import Distribution, Fixed
from deepwell.search.spaces._parse import parse_values


@pytest.mark.parametrize(
    ("text", "name", "distribution"),
    [
        ("learning_rate=log(1e-4,1)", "learning_rate", log(1e-4, 1)),
        (" learning_rate = log( 1e-4 , 1 ) ", "learning_rate", log(1e-4, 1)),
        ("dropout=uniform(0,.5)", "dropout", uniform(0, 0.5)),
        ("beta1=one_minus_log(0.9,0.999)", "beta1", one_minus_log(0.9, 0.999)),
        ("hidden_units=integer(16,128)", "hidden_units", integer(16, 128)),
        ("activation=choice(relu,tanh)", "activation", choice("relu", "tanh")),
        ("batch_size=choice(32, 64)", "batch_size", choice(32, 64)),
        ("hidden_units=choice([64,32],128)", "hidden_units", choice([64, 32], 128)),
        ("hidden_units=[64, 32]", "hidden_units", Fixed((64, 32))),
        ("hidden_units=[64]", "hidden_units", Fixed((64,))),
        ("dropout=[0.5, 0.25]", "dropout", Fixed((0.5, 0.25))),
        ("dropout=choice([0.5,0],0.1)", "dropout", choice((0.5, 0.0), 0.1)),
        ("dropout=0.2", "dropout", Fixed(0.2)),
        ("l2=0", "l2", Fixed(0.0)),
        ("activation=tanh", "activation", Fixed("tanh")),
        ("change=none", "change", Fixed("none")),
        ("change=9:l2=0.1; 3:dropout=[.1,0]", "change", Fixed("3: dropout=[0.1, 0]; 9: l2=0.1")),
        ("change=choice(none, 3: l2=1)", "change", choice("none", "3: l2=1")),
    ],
)
def test_entries(text: str, name: str, distribution: Distribution) -> None:
    assert parse_entry(text) == (name, distribution)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat=log(1e-4,1)", 'did you mean "learning_rate"'),
        ("learning_rate=logg(1e-4,1)", 'unknown range "logg"; did you mean "log"'),
        ("learning_rate=log(1e-4)", r"takes two numbers, got 1; write log\(low, high\)"),
        ("learning_rate=log()", "takes two numbers, got 0"),
        ("learning_rate=log(1,1e-4)", "first number of log must be below"),
        ("learning_rate=log(0,1)", "log takes numbers above 0"),
        ("learning_rate=log(a,b)", "log takes two numbers, got 'a'"),
        ("learning_rate=log(1e-4,1e999)", "finite"),
        ("learning_rate=" + "9" * 400, "`learning_rate` must be above 0, got inf"),
        ("hidden_units=[" + "9" * 40 + "]", "brackets list one number a layer"),
        ("learning_rate=nan", "`learning_rate` must be above 0"),
        ("learning_rate=log(log(1,2),3)", "cannot read"),
        ("dropout=uniform(0,1)", r"`dropout` must be in \[0, 1\), got 1.0"),
        ("dropout=choice()", "at least one value"),
        ("change=3: l2=-1", "`change` after epoch 3: `l2` must be at least 0, got -1"),
        ("change=soon", "`change` must be none, or changes after epochs such as"),
        ("change=log(1,2)", r"choice\(none, 10: learning_rate=0.001\)"),
        ("l2=3: l2=1", "`l2` must be at least 0, got '3: l2=1'"),
        ("activation=choice(relu,tanhh)", 'did you mean "tanh"'),
        ("activation=relu,tanh", r"to search several values, write choice\(relu,tanh\)"),
        ("learning_rate=[0.1,0.2]", r"write choice\(a, b\)"),
        ("hidden_units=[]", r"as in \[64, 32\]"),
        ("hidden_units=integer(0,16)", "`hidden_units` must be a whole number from 1"),
        ("hidden_units=integer(1.5,16)", "whole numbers, got 1.5"),
        ("hidden_units=log(16,128)", r"integer\(16, 128\)"),
        ("epochs=\N{ARABIC-INDIC DIGIT THREE}", "cannot read"),
        ("epochs=1_000", "cannot read"),
        ("learning_rate", "a name and a range or value are needed"),
        ("=log(1,2)", "a name and a range or value are needed"),
        ("learning_rate=", "a name and a range or value are needed"),
        ("", "a name and a range or value are needed"),
        ("learning_rate=__import__('os').getcwd()", "cannot read|unknown range"),
        ("x" * 50_000, "may have 20,000 characters, got 50,000"),
    ],
)
def test_wrong_entries_say_what_to_write(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_entry(text)


NEAR_MISSES = st.text(string.ascii_letters + string.digits + "=(),.[]+-_ \x1b\n\u202e", max_size=60)


@given(st.one_of(st.text(max_size=60), NEAR_MISSES, NEAR_MISSES.map(lambda t: f"l2=log({t}")))
def test_any_text_is_an_entry_or_one_harmless_sentence(text: str) -> None:
    try:
        name, distribution = parse_entry(text)
    except UsageError as error:
        shown = str(error)
        assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
        assert len(shown) < 900
    else:
        assert parse_entry(f"{name}={distribution.describe()}") == (name, distribution)


def test_a_configuration_is_read() -> None:
    assert parse_values("learning_rate=0.01, hidden_units=[64,32],optimizer=optax:lion") == {
        "learning_rate": 0.01,
        "hidden_units": (64, 32),
        "optimizer": "optax:lion",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "write name=value"),
        ("l2=0.1,", "write name=value"),
        ("l2=0.1,l2=0.2", "gives `l2` twice"),
        ("l2=-1", "`l2` must be at least 0"),
        ("learning_rat=1", 'did you mean "learning_rate"'),
        ("l2=" + "1" * 30_000, "may have 20,000 characters"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_values(text)
