"""What the trials of a study say about where to search on, as findings."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell.records import EdgeOfRange, Effect, Finding, Importance, NextRange, Outlook, Searched

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._texts import change_text, figure_text

_TOLD = 3  # effects named in a sentence


def search_findings(searched: Searched, metric: str) -> tuple[Finding, ...]:
    """Return DW701, DW702 and DW703.

    Args:
        searched: what the trials say.
        metric: that they are scored by.
    """
    return (
        *edge_findings(searched.edges, searched.importance.why),
        next_finding(searched.importance, searched.next),
        outlook_finding(searched.outlook, metric),
    )


def edge_findings(edges: Sequence[EdgeOfRange], why: str = "") -> tuple[Finding, ...]:
    """Return DW701 for each end that the best configurations pile up at; one `ok` for none.

    Nothing is said where no range has an end that may be passed.

    Args:
        edges: every end that was looked at.
        why: it could not be told, in words, or an empty text.
    """
    if why:
        check = Check(None, EdgeOfRange.P_VALUE, _SOURCE)
        return (check_finding("DW701", "unsure", "ends of ranges not looked at", why, check),)
    if not edges:
        return ()
    limit = EdgeOfRange.P_VALUE / len(edges)
    if any(edge.holds for edge in edges):
        return tuple(_edge(edge, limit) for edge in edges if edge.holds)
    nearest = min(edges, key=lambda edge: edge.p_value)
    check = Check(nearest.p_value, limit, _SOURCE, p_value=nearest.p_value)
    claim = "the best configurations lie inside the searched ranges"
    return (check_finding("DW701", "ok", claim, "", check),)


_SOURCE = (
    "1 % for a study, shared among the ends, that the best tenth of the trials lies so near to an "
    "end by chance, given how densely it was tried"
)


def _edge(edge: EdgeOfRange, limit: float) -> Finding:
    side = "upper" if edge.upward else "lower"
    detail = (
        f"{edge.nearby} of the best {edge.best} lie in the outer tenth, where "
        f"{100 * edge.tried:.0f} % of all were tried (p {edge.p_value:.1g}); the best value lies "
        f"at the end with probability {edge.certainty:.2f}; search {edge.name}={edge.wider}"
    )
    check = Check(
        measured=edge.p_value,
        threshold=limit,
        threshold_source=_SOURCE,
        change=f"{edge.name}={edge.wider}",
        p_value=edge.p_value,
        more={
            "name": edge.name,
            "end": edge.end,
            "upward": edge.upward,
            "certainty": edge.certainty,
            "certainty_threshold": EdgeOfRange.CERTAINTY,
            "best": edge.best,
            "nearby": edge.nearby,
            "tried": edge.tried,
            "space": [f"{edge.name}={edge.wider}"],
        },
    )
    claim = f"the best values of {edge.name} lie at the {side} end of its range, {edge.end}"
    return check_finding("DW701", "problem", claim, detail, check)


def next_finding(importance: Importance, ranges: Sequence[NextRange]) -> Finding:
    """Return DW702: what matters, what hardly does, and how to search on.

    `problem` where a range that matters can be narrowed, `ok` where nothing is to be changed but
    what hardly matters, `unsure` where nothing can be told.

    Args:
        importance: of each hyperparameter.
        ranges: what to change.
    """
    if importance.why:
        check = Check(None, None, _SHARES)
        return check_finding("DW702", "unsure", "what to tune next", importance.why, check)
    narrowed = [one for one in ranges if not one.fixed]
    fixed = [one for one in ranges if one.fixed]
    first = importance.main[0]
    told = ", ".join(effect_words(effect) for effect in importance.main[:_TOLD])
    parts = [f"{told} of the differences between networks"]
    parts += [f"search {one.name} in {one.entry}" for one in narrowed]
    parts += [
        f"{one.name} hardly matters (at most {100 * one.share.high:.0f} %): hold it at {one.entry}"
        for one in fixed
    ]
    entries = [f"{one.name}={one.entry}" for one in ranges]
    check = Check(
        measured=first.total.value,
        threshold=0.1,
        threshold_source=_SHARES,
        change=", ".join(entries),
        more={"space": entries, "shares": {e.name: e.share.to_plain() for e in importance.main}},
    )
    level = "problem" if narrowed else "ok"
    claim = f"{first.name} matters most"
    return check_finding("DW702", level, claim, "; ".join(parts), check)


_SHARES = (
    "a tenth of the differences, by the lower end of the interval, is worth a narrower range; "
    "below a twentieth, by the upper end, nothing is lost by a fixed value"
)


def effect_words(effect: Effect) -> str:
    """Return an effect with its share, as in `learning_rate 62 % [48, 74]`."""
    share = effect.share
    low, high = 100 * share.low, 100 * share.high
    return f"{effect.name} {100 * share.value:.0f} % [{low:.0f}, {high:.0f}]"


def outlook_finding(outlook: Outlook, metric: str) -> Finding:
    """Return DW703: whether one more round is expected to pay.

    `ok` where it is not, since the search has found what it can find, `problem` where it is.

    Args:
        outlook: what one more round is expected to bring.
        metric: name of the metric.
    """
    percent = METRICS[metric].percent
    source = (
        "a quarter of the standard error of the best dev score: smaller gains cannot be told from "
        "luck on the dev rows"
    )
    check = Check(
        measured=outlook.gain.value if outlook.pays is not None else None,
        threshold=outlook.threshold,
        threshold_source=source,
        more={
            "gain": outlook.gain.to_plain(),
            "spread": outlook.spread,
            "networks": outlook.networks,
            "space": [],
        },
    )
    levels = {True: "problem", False: "ok", None: "unsure"}
    claims = {
        True: "searching on is expected to pay",
        False: "searching on is not expected to pay",
        None: "whether searching on would pay cannot be told",
    }
    if outlook.gain.high == float("inf"):
        return check_finding("DW703", "unsure", claims[None], outlook.why, check)
    unit = " points" if percent else ""
    detail = (
        f"{outlook.networks} more networks are expected to gain "
        f"{change_text(outlook.gain, percent)}{unit}, and the standard error of the dev score is "
        f"{figure_text(outlook.spread, percent)}: {outlook.why}"
    )
    return check_finding("DW703", levels[outlook.pays], claims[outlook.pays], detail, check)
