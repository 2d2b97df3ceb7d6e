from typer.main import get_command
from typer.testing import CliRunner

from loopwright.cli.main import app

NEED_NO_JSON = {"up", "down", "demo"}


def test_every_command_takes_a_data_folder_and_those_a_script_reads_take_json() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert {
        "up", "down", "status", "import", "recommend", "explain", "replay", "promote", "rollback", "doctor", "dlq"
    } <= set(commands)  # fmt: skip
    assert set(commands["dlq"].commands) == {"list", "show", "replay"}
    commands |= {f"dlq {name}": command for name, command in commands.pop("dlq").commands.items()}
    for name, command in commands.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--data-dir" in options, name
        assert "--json" in options or name in NEED_NO_JSON, name
        assert command.help, name


def test_help_lists_the_commands() -> None:
    said = CliRunner().invoke(app, ["--help"]).output
    assert "recommend" in said and "doctor" in said
