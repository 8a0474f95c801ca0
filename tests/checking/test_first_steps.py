"""The first steps of a network: each measurement against its formula, planted faults, no alarms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn import datasets
from sklearn.metrics import log_loss

from deepwell._native._core_module import available, why_not
from deepwell.checking._first_steps import first_steps, rows_to_fit
from deepwell.checking._first_steps_apart import costs_mixed, rows_mixed, units_alike
from deepwell.checking._first_steps_bench import bare, native_bench
from deepwell.checking._first_steps_fit import few_rows, tries
from deepwell.checking._first_steps_gradient import gradient_error
from deepwell.checking._first_steps_inputs import explained_at_most, student_975, student_tail
from deepwell.checking._first_steps_rows import Sample, apart, sampled
from deepwell.checking._first_steps_start import constant_loss, zero_loss
from deepwell.diagnosis import diagnose_first_steps
from deepwell.execution._members import member_of
from deepwell.networks._forward import forward
from deepwell.networks._initializers import initial_parameters
from deepwell.records import FirstSteps, TrialSpec, from_plain, to_plain
from deepwell.training._program import TrainingRows

pytestmark = pytest.mark.skipif(not available(), reason=why_not() or "native")
BUNDLED = ("digits", "breast_cancer", "wine", "iris", "diabetes")


def bundled(name, seed=0, shuffled=False):
    """Return a data set of scikit-learn's, normalized by its train rows, and its classes."""
    found = getattr(datasets, f"load_{name}")()
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(found.target))
    x, y = found.data[order].astype(float), found.target[order]
    y = rng.permutation(y) if shuffled else y
    n = int(0.7 * len(y))
    spread = x[:n].std(axis=0)
    x = ((x - x[:n].mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    classes = 0 if name == "diabetes" else len(np.unique(y))
    if not classes:
        y = ((y - y[:n].mean()) / y[:n].std()).astype(np.float32)
    return made(x, y, n), classes


def made(x, y, n, weight=None):
    weight = np.ones(len(y)) if weight is None else weight
    weight = weight.astype(np.float32)
    x = x.astype(np.float32)
    return TrainingRows(x[:n], y[:n], weight[:n], x[n:], y[n:], weight[n:])


def network(rows, classes, seed=3, dtype="float32", **values):
    if values.get("hidden_layers") != 0:
        values = {"hidden_units": 64, "hidden_layers": 2, **values}
    else:
        values = {"hidden_units": (), **values}
    spec = TrialSpec(values, seed=seed, dtype=dtype)
    loss = {0: "squared", 2: "logistic"}.get(classes, "softmax")
    return member_of(spec, rows.x_train.shape[1], classes if classes > 2 else 1, loss)


def looked(rows, classes, **values):
    """Return the record of the checks of such a network, as a study makes it."""
    member = network(rows, classes, **values)
    told = FirstSteps(
        trial=0,
        network="",
        parameters=member.architecture.parameters,
        program="native",
        learning_rate=member.number("learning_rate"),
        initializer=member.initializer,
        initializer_scale=member.initializer_scale,
    )
    return from_plain(FirstSteps, {**to_plain(told), **first_steps(member, rows)})


def alarms(record):
    return [f.code for f in diagnose_first_steps(record) if f.level == "problem"]


def table(n=400, d=6, classes=2, seed=0, signal=2.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    if not classes:
        return made(x, (signal * x[:, 0] + rng.normal(size=n)).astype(np.float32), 3 * n // 4), 0
    z = signal * x @ rng.normal(size=(d, classes)) + rng.gumbel(size=(n, classes))
    return made(x, z.argmax(axis=1), 3 * n // 4), classes


# The loss at the start


@pytest.mark.proves("C4", "formula")
def test_the_constant_guess_is_log_c_where_classes_are_balanced():
    even = Sample(np.zeros((40, 1)), np.arange(40) % 10, np.ones(40))
    assert constant_loss(even, "softmax", 10) == pytest.approx(2.302585, abs=1e-6)
    assert constant_loss(even, "softmax", 10) == pytest.approx(zero_loss(even, "softmax", 10))
    two = Sample(np.zeros((20, 1)), np.arange(20) % 2, np.ones(20))
    assert constant_loss(two, "logistic", 1) == pytest.approx(np.log(2))
    values = Sample(np.zeros((4, 1)), np.array([1.0, 2.0, 3.0, 6.0]), np.ones(4))
    assert constant_loss(values, "squared", 1) == pytest.approx(3.5)  # the variance
    assert zero_loss(values, "squared", 1) == pytest.approx(12.5)  # the mean square


@pytest.mark.proves("C4", "independent")
def test_the_constant_guess_follows_frequencies_and_weights():
    rng = np.random.default_rng(0)
    y, weight = rng.choice(3, 200, p=[0.7, 0.25, 0.05]), rng.uniform(0, 3, 200)
    share = np.bincount(y, weights=weight) / weight.sum()
    wanted = log_loss(y, np.tile(share, (200, 1)), sample_weight=weight)
    assert constant_loss(Sample(y[:, None], y, weight), "softmax", 3) == pytest.approx(wanted)
    values = rng.normal(size=200)
    middle = np.average(values, weights=weight)
    wanted = np.average((values - middle) ** 2, weights=weight)
    assert constant_loss(Sample(y[:, None], values, weight), "squared", 1) == pytest.approx(wanted)


@pytest.mark.proves("C4", "formula")
@pytest.mark.parametrize("classes", [0, 2, 5])
def test_a_healthy_start_lies_above_by_half_of_what_its_outputs_bend_the_loss(classes):
    """E[L] = L(0) + 1/2 E[z' H z], the Hessians written out, for outputs small enough."""
    rows, _ = table(classes=classes, n=340)
    member = replace(network(rows, classes, activation="tanh"), initializer_scale=0.6)
    sample = Sample(rows.x_train, rows.y_train, rows.weight_train)
    costs, bends = [], []
    a = bare(member, 1.0).architecture
    bench = native_bench(member, *vars(sample).values())
    for seed in range(40):
        one = bare(replace(member, seed=seed), 1e-12)
        _, cost = bench.advance([one], [None], [np.arange(len(sample))])
        z = forward(a, initial_parameters(a, one.initializer, seed, scale=0.6), sample.x)
        costs.append(float(cost[0]))
        hessian = {0: 2.0 * np.eye(1), 2: 0.25 * np.eye(1)}.get(
            classes, (np.eye(5) - 1 / 5) / 5 if classes == 5 else None
        )
        bends.append(0.5 * np.einsum("io,op,ip->i", z, hessian, z).mean())
    above = np.array(costs) - zero_loss(sample, a.loss, a.outputs) - bends
    # What is left is the first order, z . slope, which is 0 on average over seeds.
    assert abs(above.mean()) < 4 * above.std(ddof=1) / np.sqrt(40)
    assert np.mean(bends) > 0.002  # or there is nothing to see


@pytest.mark.parametrize("values", [{"initializer": "large"}, {"initializer_scale": 3.0}])
@pytest.mark.parametrize("name", ["digits", "diabetes"])
def test_large_initial_weights_are_told(name, values):
    record = looked(*bundled(name), **values)
    assert alarms(record) == ["DW301"]
    assert record.start.mean > record.start.limit > record.start.constant


# The gradient


class Faulty:
    """A program whose steps go wrong in one block."""

    def __init__(self, program, block, fault):
        self._program, self._block, self._fault = program, block, fault
        self.lanes, self.structure = program.lanes, program.structure

    def load(self, members, states):
        session = self._program.load(members, states)
        before = session.states()
        return type(
            "Session",
            (),
            {
                "advance": lambda _, chunk: session.advance(chunk),
                "states": lambda _: [
                    self._wrong(old, new) for old, new in zip(before, session.states(), strict=True)
                ],
            },
        )()

    def _wrong(self, old, new):
        b = self._block
        return {**new, b: old[b] + self._fault(new[b] - old[b])}


FAULTS = {
    "sign": lambda step: -step,
    "factor": lambda step: 2 * step,
    "cut": lambda step: 0 * step,
    "slightly": lambda step: 1.001 * step,
    "one row of weights": lambda step: np.concatenate([step[:1] * 0, step[1:]]),
}


@pytest.mark.proves("C4", "gradient")
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("block", ["weights/0", "weights/1", "biases/2", "biases/0"])
def test_a_wrong_gradient_is_blamed_on_its_block(block, fault):
    rows, classes = table(classes=3)
    member = network(rows, classes, l2=0.01, hidden_units=8)
    bench = native_bench(member, rows.x_train, rows.y_train, rows.weight_train)
    right = gradient_error(bench, member, np.arange(16))
    assert right["wrong"] == []
    assert right["error"] < 1e-7
    wrong = gradient_error(
        replace(bench, program=Faulty(bench.program, block, FAULTS[fault])), member, np.arange(16)
    )
    assert wrong["wrong"] == [block]
    assert wrong["block"] == block
    assert wrong["error"] > 1e-5


# Rows and units apart


def test_rows_are_apart_but_where_batch_norm_mixes_them():
    rows, classes = table()
    sample = Sample(rows.x_train, rows.y_train, rows.weight_train)
    for norm, mixes in (("none", False), ("before", True), ("after", True)):
        member = network(rows, classes, batch_norm=norm, dropout=0.5)
        bench = native_bench(member, *vars(sample).values())
        for measure in (rows_mixed, costs_mixed):
            found = measure(bench, member, sample, np.arange(16))
            assert (found["error"] > found["threshold"]) == mixes
            assert not mixes or found["error"] > 30 * found["threshold"]


def test_units_that_start_alike_are_seen():
    rows, classes = table()
    for initializer, alike in (("zeros", [1.0, 1.0]), ("auto", [1 / 8, 1 / 4])):
        member = network(rows, classes, hidden_units=(8, 4), initializer=initializer)
        a = member.architecture
        state = initial_parameters(a, member.initializer, 0)
        assert units_alike(a, state) == alike
    a = network(rows, classes, hidden_units=(1,), hidden_layers=1).architecture
    assert units_alike(a, initial_parameters(a, "zeros", 0)) == []  # a lone unit is no symmetry


# Rows to fit


def test_rows_to_fit_differ_and_are_of_all_classes():
    rng = np.random.default_rng(0)
    x = np.repeat(rng.normal(size=(10, 30)), 5, axis=0)  # 10 rows, each five times
    chosen = apart(x, np.arange(50) % 5, 20, classes=True)
    assert len(chosen) == len({tuple(row) for row in x[chosen].tolist()}) == 10
    line = rng.normal(size=(50, 1))
    assert len(apart(line, np.arange(50) % 2, 20, classes=True)) == 2  # a line has a plane of two
    y = (np.arange(50) >= 45).astype(int)
    assert sorted(y[apart(rng.normal(size=(50, 30)), y, 2, classes=True)]) == [0, 1]
    assert len(apart(np.ones((50, 3)), y, 20, classes=True)) == 1
    mostly = np.where(y == 1, 5.0, 0.0)  # a number that is nearly always 0
    assert sorted(mostly[apart(rng.normal(size=(50, 30)), mostly, 2, classes=False)]) == [0, 5]


def test_the_sample_has_every_class_and_only_rows_that_count():
    y = np.repeat([0, 1], [1900, 100])
    weight = np.ones(2000)
    weight[::2] = 0
    chosen = sampled(y, weight, 200)
    assert len(chosen) == len(set(chosen.tolist())) == 200
    assert weight[chosen].all()
    assert y[chosen].sum() == 10
    assert len(sampled(np.arange(5), np.ones(5))) == 5
    assert len(sampled(np.arange(10**6) % 7, np.ones(10**6))) == 256


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "rmsprop", "adagrad", "nesterov"])
def test_a_few_rows_are_fitted_by_the_rule_alone(optimizer):
    rows, classes = table(classes=3, d=12)
    member = network(rows, classes, optimizer=optimizer, learning_rate=1e-5)
    chosen = rows_to_fit(member, Sample(rows.x_train, rows.y_train, rows.weight_train))
    few = Sample(rows.x_train[chosen], rows.y_train[chosen], np.ones(len(chosen)))
    bench = native_bench(member, *vars(few).values())
    fit = few_rows(bench, tries(member, adam=False), few, np.arange(len(chosen)))
    assert fit.found["fitted"]
    assert fit.found["threshold"] == pytest.approx(np.log(2) / len(chosen))
    said = forward(member.architecture, fit.state, few.x)
    assert (said.argmax(axis=1) == few.y).all()  # a loss below it leaves no row wrong


# Comparison with zeros


@pytest.mark.parametrize("freedom", [1.0, 2.5, 7.0, 30.0, 255.0])
def test_students_distribution_is_near_enough(freedom):
    for t in (0.0, 0.5, 2.0, 4.0, -1.0):
        exact = stats.t.sf(t, freedom)
        told = student_tail(t, freedom)
        assert told == pytest.approx(exact, rel=0.35 if freedom < 3 else 0.03)
    assert student_975(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.4 / freedom)


# Planted faults, each with its finding


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_zeros_are_told_by_their_symmetry(name, activation):
    record = looked(*bundled(name), initializer="zeros", activation=activation)
    assert alarms(record) == ["DW305"]


@pytest.mark.parametrize("rate", [1e-30, 1e-12])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_learning_rate_without_effect_is_told(rate, optimizer):
    record = looked(*bundled("wine"), learning_rate=rate, optimizer=optimizer)
    assert alarms(record) == ["DW302"]
    assert record.fits[-1].fitted  # the network itself is fine
    assert "lost in rounding" in diagnose_first_steps(record)[0].claim


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["digits", "breast_cancer", "diabetes"])
def test_a_shuffled_target_is_fitted_but_no_better_than_zeros(name, seed):
    record = looked(*bundled(name, seed=seed, shuffled=True))
    assert record.fits[-1].fitted
    assert record.inputs.p_value >= record.inputs.certain
    found = diagnose_first_steps(record)
    assert [(f.code, f.level) for f in found] == [("DW303", "unsure")]
    assert found[0].claim == "no signal is seen in the inputs"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["digits", "wine", "diabetes"])
def test_train_targets_alone_that_are_shuffled_are_told(name, seed):
    """Dev targets still follow the inputs: what was learned from noise may go along with them."""
    rows, classes = bundled(name, seed=seed)
    shuffled = np.random.default_rng(seed).permutation(rows.y_train)
    record = looked(replace(rows, y_train=shuffled), classes)
    found = diagnose_first_steps(record)
    assert [(f.code, f.level) for f in found] == [("DW303", "unsure")]


def test_what_simple_models_explain_of_train_rows():
    """Near the truth where a linear model has it, next to nothing of noise."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(256, 5)).astype(np.float32)
    signal = x[:, 0] / np.sqrt(2)
    y = (signal + rng.normal(size=256) / np.sqrt(2)).astype(np.float32)
    one = Sample(x, y, np.ones(256, np.float32))
    member = network(made(x, y, 200), 0)
    assert 0.5 < explained_at_most(one, member) < 0.75
    noise = replace(one, y=rng.permutation(y))
    assert explained_at_most(noise, member) < 0.1
    near = replace(one, y=np.sign(x[:, 0] * x[:, 1]).astype(np.float32))  # nothing is linear here
    assert explained_at_most(near, member) > 0.2


def test_inputs_that_are_all_alike_are_told():
    rows, classes = bundled("wine")
    blank = replace(rows, x_train=0 * rows.x_train, x_dev=0 * rows.x_dev)
    record = looked(blank, classes)
    assert alarms(record) == ["DW303"]
    assert record.fits == ()
    assert "same in every row" in diagnose_first_steps(record)[0].claim


# Hard cases that must be silent


def hard(case):
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 8))
    rare = (x[:, 0] + 0.5 * rng.normal(size=600) > 1.85).astype(int)
    if case == "imbalance 1:20":
        return made(x, rare, 450), 2, {}
    if case == "class weights":
        weight = np.where(rare == 1, 0.5 / rare.mean(), 0.5 / (1 - rare.mean()))
        return made(x, rare, 450, weight), 2, {}
    if case == "raw target":
        rows, _ = table(classes=0)
        return replace(rows, y_train=77 * rows.y_train + 150, y_dev=77 * rows.y_dev + 150), 0, {}
    if case == "a number that is mostly 0":
        rows, _ = table(classes=0)
        spare = [np.where(y > 2.5, y, 0).astype(np.float32) for y in (rows.y_train, rows.y_dev)]
        return replace(rows, y_train=spare[0], y_dev=spare[1]), 0, {}
    if case == "constant inputs":
        rows, classes = table(classes=3)
        x = rows.x_train.copy()
        x[:, 3:] = 1
        return replace(rows, x_train=x), classes, {}
    shapes = {
        "standardized target": (table(classes=0), {}),
        "8 rows": (table(n=11, classes=2), {}),
        "one feature": (table(d=1), {}),
        "one feature, a number": (table(d=1, classes=0), {}),
        "100 classes": (table(n=4000, d=20, classes=100), {}),
        "deep sigmoid": (table(), {"activation": "sigmoid", "hidden_layers": 5}),
        "batch norm": (table(), {"batch_norm": "before"}),
        "batch norm after": (table(), {"batch_norm": "after", "activation": "tanh"}),
        "dropout": (table(), {"dropout": 0.5, "input_dropout": 0.2, "l2": 0.01, "l1": 0.001}),
        "float64": (table(), {"dtype": "float64"}),
        "no hidden layer": (table(classes=3), {"hidden_layers": 0}),
        "maxout": (table(), {"activation": "maxout"}),
        "one unit": (table(), {"hidden_layers": 1, "hidden_units": 1}),
        "smoothing and mixup": (table(), {"label_smoothing": 0.1, "mixup": 0.2}),
        "identity": (table(), {"initializer": "identity", "activation": "tanh"}),
    }
    (rows, classes), values = shapes[case]
    return rows, classes, values


HARD = [
    *("imbalance 1:20", "class weights", "raw target", "standardized target", "constant inputs"),
    *("8 rows", "one feature", "one feature, a number", "100 classes", "deep sigmoid"),
    *("batch norm", "batch norm after", "dropout", "float64", "no hidden layer", "maxout"),
    *("one unit", "smoothing and mixup", "identity", "a number that is mostly 0"),
]


@pytest.mark.parametrize("case", HARD)
def test_hard_cases_are_silent(case):
    rows, classes, values = hard(case)
    assert diagnose_first_steps(looked(rows, classes, **values)) == []


HEALTHY = (
    {},
    {"activation": "tanh", "hidden_units": 32, "hidden_layers": 1},
    {"hidden_layers": 3, "hidden_units": 24, "dropout": 0.5, "l2": 1e-3},
    {"batch_norm": "before", "optimizer": "sgd", "learning_rate": 0.1},
    {"hidden_layers": 0},
    {"activation": "sigmoid", "hidden_layers": 3},
    {"residual": 1, "hidden_layers": 3, "activation": "elu", "optimizer": "rmsprop"},
)


@pytest.mark.parametrize("name", BUNDLED)
def test_no_false_alarm_on_healthy_networks(name):
    """70 configurations: 5 data sets x 7 networks x 2 seeds of data and weights, not one alarm."""
    told = {}
    for seed in range(2):
        rows, classes = bundled(name, seed)
        for number, values in enumerate(HEALTHY):
            record = looked(rows, classes, seed=10 + seed, **values)
            told[number, seed] = [(f.code, f.level) for f in diagnose_first_steps(record)]
    assert {case: found for case, found in told.items() if found} == {}
    assert len(told) == 2 * len(HEALTHY)
