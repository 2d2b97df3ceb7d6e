import pytest

from loopwright.trainer.commandline import arguments


def test_the_job_trains_and_does_not_promote_unless_told() -> None:
    asked = arguments().parse_args([])
    assert (asked.seed, asked.promote, asked.surface, asked.actor) == (1, False, "home", "trainer")
    asked = arguments().parse_args(["--seed", "7", "--promote", "--surface", "shop", "--actor", "me"])
    assert (asked.seed, asked.promote, asked.surface, asked.actor) == (7, True, "shop", "me")


def test_an_unknown_argument_is_refused() -> None:
    with pytest.raises(SystemExit):
        arguments().parse_args(["--fast"])
