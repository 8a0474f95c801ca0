"""The boxes of coarse to fine, as people and scripts read them."""

from deepwell.report._box_lines import box_lines, boxes_json

WHOLE = {"learning_rate": "0.0001 to 1", "dropout": "0 to 0.5", "activation": "relu, tanh"}
PROPOSED = [
    {"networks": 28, "box": WHOLE},
    {"networks": 1, "box": WHOLE | {"learning_rate": "0.001 to 0.01", "activation": "relu"}},
]


def test_rounds_tell_the_sides_that_have_been_narrowed() -> None:
    assert box_lines(PROPOSED) == [
        "boxes     round 1, 28 networks: everywhere",
        "          round 2, 1 network: learning_rate 0.001 to 0.01; activation relu",
    ]
    assert boxes_json(PROPOSED) == {"boxes": PROPOSED}


def test_searches_without_boxes_have_none() -> None:
    assert box_lines([{"networks": 28}]) == []
    assert boxes_json([{"networks": 28}]) == {}
