"""Which notification belongs to which batch."""

from __future__ import annotations

import pytest

from ops.bench.commits import Began, commit_times

ONE_WORKER = {1: Began(0.0, {0, 1}), 2: Began(2.0, {1}), 3: Began(4.0, {0})}


def test_a_batch_is_committed_at_the_next_notification_of_its_session() -> None:
    assert commit_times(ONE_WORKER, {77: [1.0, 3.5, 4.1]}) == {1: 1.0, 2: 3.5, 3: 4.1}


def test_two_workers_are_told_apart_by_the_rhythm_of_their_sessions() -> None:
    batches = {
        1: Began(0.0, {0, 1}),
        2: Began(0.1, {4, 5}),
        3: Began(1.0, {1}),
        4: Began(3.0, {0, 2}),
        5: Began(4.0, {2}),
        6: Began(9.0, {5}),
    }
    slow, quick = [8.0, 10.0], [0.5, 1.5, 3.5, 4.5]
    assert commit_times(batches, {1: slow, 2: quick}) == {1: 0.5, 3: 1.5, 4: 3.5, 5: 4.5, 2: 8.0, 6: 10.0}


def test_a_batch_that_nobody_heard_of_is_an_error() -> None:
    with pytest.raises(ValueError, match="batch 3"):
        commit_times(ONE_WORKER, {77: [1.0, 3.5]})
    with pytest.raises(ValueError, match="batch 1"):
        commit_times(ONE_WORKER, {})
