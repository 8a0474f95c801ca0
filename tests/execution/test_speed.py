"""The speed that a machine reached in its last runs, kept for each kind of program."""

import pytest

from deepwell.execution._speed import remember_rate, remembered_rate


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("DEEPWELL_CACHE", str(folder))
    return folder


def test_each_program_keeps_its_own_rate():
    assert remembered_rate("native") is None
    remember_rate("native", 2e10)
    remember_rate("jax", 5e9)
    assert (remembered_rate("native"), remembered_rate("jax")) == (2e10, 5e9)


def test_a_run_beside_other_work_does_not_spoil_the_next_plan():
    for rate in (2e10, 3e10, 2.5e10, 1e8):
        remember_rate("native", rate)
    assert remembered_rate("native") == 2e10
    for rate in (4e10, 4e10, 4e10, 4e10, 4e10):
        remember_rate("native", rate)
    assert remembered_rate("native") == 4e10  # only the last few count


def test_a_rate_kept_alone_is_read(cache):
    cache.mkdir()
    (cache / "speed.json").write_text('{"native": 2e10}')
    assert remembered_rate("native") == 2e10


@pytest.mark.parametrize("content", ["", "[1]", '{"native": "fast"}', '{"native": -1}', "{"])
def test_a_damaged_file_is_no_rate_and_is_written_anew(cache, content):
    cache.mkdir()
    (cache / "speed.json").write_text(content)
    assert remembered_rate("native") is None
    remember_rate("native", 1e9)
    assert remembered_rate("native") == 1e9


def test_a_cache_that_cannot_be_written_keeps_nothing(cache):
    cache.write_text("a file stands where the folder would be")
    remember_rate("native", 1e9)
    assert remembered_rate("native") is None
