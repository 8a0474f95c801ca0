"""R4: early stopping against the rule told in plain Python over the curve of a longer run."""

import numpy as np
import pytest

from deepwell.training._program import Outcome

EPOCHS, PATIENCE = 25, 3


@pytest.fixture
def program(every_program):
    return every_program


def by_rule(scores, costs):
    """Return the epochs at which training ends and whose weights are kept, counted from 1."""
    best, kept, stale = (np.inf, np.inf), 0, 0
    for epoch, now in enumerate(zip(scores, costs, strict=True), 1):
        better = now < best
        best, kept = (now, epoch) if better else (best, kept)
        stale = 0 if better else stale + 1
        if stale >= PATIENCE:
            return epoch, kept
    return len(scores), kept


def members(structure, member, patience):
    s = structure(score="error")
    return s, [
        member(s, seed=seed, learning_rate=0.02 * (seed + 1), dropout=0.0, patience=patience)
        for seed in range(4)
    ]


@pytest.mark.proves("R4", "independent")
def test_it_ends_where_the_rule_says_and_keeps_the_best(structure, program, member, trained):
    s, through = members(structure, member, 0)
    _, infos = trained(program(s), through, epochs=EPOCHS)
    _, stopping = members(structure, member, PATIENCE)
    states, _ = trained(program(s), stopping, epochs=EPOCHS)
    ended = []
    for i, state in enumerate(states):
        scores = [info.dev_score[i] for info in infos]
        end, kept = by_rule(scores, [info.dev_cost[i] for info in infos])
        assert (int(state["epoch"]), int(state["best_epoch"])) == (end, kept)
        assert float(state["best_score"]) == scores[kept - 1]
        ended.append(end < EPOCHS)
        stopped = int(state["outcome"]) == Outcome.EARLY_STOPPED
        assert stopped == (end < EPOCHS or end - kept >= PATIENCE)
    assert any(ended)


@pytest.mark.proves("R4", "population")
def test_who_stops_early_is_the_same_alone_and_among_others(structure, program, member, trained):
    s, all_of_them = members(structure, member, PATIENCE)
    together, _ = trained(program(s), all_of_them, epochs=EPOCHS)
    for one, beside in zip(all_of_them, together, strict=True):
        (alone,), _ = trained(program(s), [one], epochs=EPOCHS)
        for name in alone:
            assert alone[name].tobytes() == beside[name].tobytes(), name
