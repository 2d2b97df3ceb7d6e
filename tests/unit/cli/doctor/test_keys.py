from loopwright.cli.doctor.finding import State
from loopwright.cli.doctor.keys import bindings, in_use, setting

SUBJECT = ("LOOPWRIGHT_RECOMMENDER_SUBJECT_KEY", "LOOPWRIGHT_INGEST_SUBJECT_KEY")


def test_a_published_key_beyond_loopback_is_broken_and_the_mend_sets_its_variable() -> None:
    shell = {"LOOPWRIGHT_EXPOSURE_RPC__HOST": "0.0.0.0", "LOOPWRIGHT_INGEST_RPC__HOST": "127.0.0.2"}
    found = bindings(shell)
    assert found.state is State.BROKEN and "exposure at 0.0.0.0" in found.found and "ingest" not in found.found
    assert "export LOOPWRIGHT_EXPOSURE_TOKEN_KEY=" in found.mend
    assert bindings(shell | {"LOOPWRIGHT_EXPOSURE_TOKEN_KEY": "mine"}).state is State.OK
    assert bindings({}).state is State.OK


def test_published_keys_in_use_are_named_and_no_fault() -> None:
    found = in_use(["LOOPWRIGHT_EXPOSURE_TOKEN_KEY"])
    assert found.state is State.NOTE and "LOOPWRIGHT_EXPOSURE_TOKEN_KEY" in found.found
    assert in_use([]).state is State.OK


def test_services_that_share_a_key_are_given_the_same_new_one() -> None:
    for asked in (SUBJECT[:1], SUBJECT[1:], SUBJECT):
        command = setting(asked)
        assert command.count("openssl") == 1 and all(f"{variable}=$KEY" in command for variable in SUBJECT)
        assert "TOKEN" not in command
