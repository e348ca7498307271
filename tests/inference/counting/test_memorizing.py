"""Remembered translations."""

from charrnn.inference.counting.memory import Memory


def test_a_known_source_gets_its_most_frequent_target_and_others_are_copied() -> None:
    memory = Memory.fit(["a", "a", "a", "b"], ["x", "y", "y", "z"])

    assert memory.predict(["b", "a", "new"]) == ["z", "y", "new"]


def test_of_equally_frequent_targets_the_first_wins() -> None:
    assert Memory.fit(["a", "a"], ["y", "x"]).predict(["a"]) == ["y"]


def test_of_joined_columns_the_first_is_copied() -> None:
    memory = Memory.fit(["go\tV;PST"], ["went"])

    assert memory.predict(["go\tV;PST", "walk\tV;PST"]) == ["went", "walk"]
