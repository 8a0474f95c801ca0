import pytest

from deepwell.data._task import Task


@pytest.mark.parametrize(
    ("task", "outputs", "loss"),
    [
        (Task("regression"), 1, "squared"),
        (Task("classification", ("a", "b")), 1, "logistic"),
        (Task("classification", ("a", "b", "c")), 3, "softmax"),
    ],
)
def test_outputs_and_loss_follow_the_task(task: Task, outputs: int, loss: str) -> None:
    assert (task.outputs, task.loss) == (outputs, loss)
