from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS, Moment
from deepwell.search.schedulers import _successive_halving
from deepwell.search.schedulers._hyperband import decide, groups_of, ladders, rungs

SPEC = TrialSpec({}, seed=0)


def trials(scores, first=0):
    return [
        Trial(first + n, SPEC, Status.PAUSED, epochs=5, score=float(score))
        for n, score in enumerate(scores)
    ]


def test_groups_begin_at_different_rungs_and_cost_about_the_same() -> None:
    """R = 81, factor 3: the table of the paper has brackets that begin at 9, 27 and 81 epochs.

    Shares 9/3 : 3/2 : 1 of 110 networks; the first ladder is that of halving.
    """
    groups = ladders(110, 81)
    assert groups == [
        (Rung(9, 60), Rung(27, 20), Rung(81, 7)),
        (Rung(27, 30), Rung(81, 10)),
        (Rung(81, 20),),
    ]
    costs = [sum(r.networks * (r.epochs - below) for r, below in
                 zip(ladder, (0, *(b.epochs for b in ladder)), strict=False))
             for ladder in groups]  # fmt: skip
    assert costs == [60 * 9 + 20 * 18 + 7 * 54, 30 * 27 + 10 * 54, 20 * 81]
    assert max(costs) < 1.3 * min(costs)
    assert groups[0] == _successive_halving.rungs(60, 81)
    assert rungs(110, 81) == (Rung(9, 110), Rung(27, 70), Rung(81, 37))
    assert SCHEDULERS["hyperband"].rungs(110, 81) == rungs(110, 81)


@given(st.integers(1, 400), st.integers(1, 400))
def test_everybody_is_in_one_group_and_the_rungs_are_one_ladder(networks: int, epochs: int) -> None:
    groups = ladders(networks, epochs)
    sizes = [ladder[0].networks for ladder in groups]
    assert sum(sizes) == networks
    assert np.bincount(groups_of(networks, len(groups)), minlength=len(groups)).tolist() == sizes
    ladder = rungs(networks, epochs)
    assert [r.epochs for r in ladder] == sorted({r.epochs for group in groups for r in group})
    assert ladder[0].networks == networks
    assert ladder[-1].epochs == epochs
    counts = [r.networks for r in ladder]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize("wrong", [(0, 9), (4, 0)])
def test_wrong_sizes_are_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="must be at least 1, got 0"):
        rungs(*wrong)


def test_every_group_has_its_share_of_each_part_of_the_order() -> None:
    groups = groups_of(400, 3)
    overall = np.bincount(groups) / 400
    for part in groups.reshape(4, 100):
        np.testing.assert_allclose(np.bincount(part, minlength=3) / 100, overall, atol=0.15)


def test_each_group_decides_within_itself() -> None:
    networks, epochs, first = 110, 81, 7
    groups = groups_of(networks, 3)
    # the worst networks of all are those of the first group; they compete with each other alone
    scores = np.where(groups == 0, 10.0, 0.0) + np.random.default_rng(1).random(networks)
    ladder = rungs(networks, epochs)
    told = trials(scores, first)
    one = decide(Moment(told, ladder, 0, first))
    going = np.array(sorted(one.promote)) - first
    assert np.bincount(groups[going]).tolist() == [20, 30, 20]
    best = np.sort(scores[groups == 0])[:20]
    np.testing.assert_array_equal(np.sort(scores[going][groups[going] == 0]), best)
    assert sorted(one.promote + one.prune) == [t.number for t in told]
    ranked = [scores[n - first] for n in one.promote]
    assert ranked == sorted(ranked)
    left = [t for t in told if t.number in one.promote]
    two = decide(Moment(left, ladder, 1, first))
    going = np.array(sorted(two.promote)) - first
    assert np.bincount(groups[going]).tolist() == [7, 10, 20]


def test_a_copy_is_in_the_group_of_the_network_that_it_goes_back_to() -> None:
    """Its number is beyond those of the groups; its place is the one that its source gave up."""
    first, groups, ladder = 7, groups_of(110, 3), rungs(110, 81)
    told = trials(np.random.default_rng(3).random(110), first)
    for group in range(3):
        source = first + int(np.flatnonzero(groups == group)[0])
        gone = [replace(t, status=Status.PRUNED) if t.number == source else t for t in told]
        copies = [Trial(n, SPEC, Status.PAUSED, 5, score=-1.0 - n) for n in (117, 119)]
        roots = {117: source, 119: source}
        decision = decide(Moment([*gone, *copies], ladder, 0, first, roots=roots))
        assert decision.promote[:2] == (119, 117)
        going = [groups[roots.get(n, n) - first] for n in decision.promote]
        sizes = [20, 30, 20]
        sizes[group] += group > 0  # which is not halved here: there is a place for both copies
        assert np.bincount(going).tolist() == sizes
        assert source not in decision.promote + decision.prune


def test_a_bracket_that_was_made_longer_is_halved_as_it_was_planned() -> None:
    first, ladder = 7, rungs(110, 81)
    longer = (*ladder[:-1], Rung(121, ladder[-1].networks))
    told = trials(np.random.default_rng(4).random(110), first)
    for rung in (0, 1):
        planned = decide(Moment(told, ladder, rung, first))
        assert planned.prune
        assert decide(Moment(told, longer, rung, first)) == planned
        told = [t for t in told if t.number in planned.promote]


def test_a_network_without_a_score_ends_even_where_its_group_decides_nothing() -> None:
    scores = np.random.default_rng(2).random(110)
    last = int(np.flatnonzero(groups_of(110, 3) == 2)[0])
    scores[last] = np.inf
    assert last in decide(Moment(trials(scores), rungs(110, 81))).prune
