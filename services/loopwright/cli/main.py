"""The `loopwright` command line: one line a command."""

from __future__ import annotations

import typer

from loopwright.cli import lifecycle
from loopwright.cli.dead_letters.command import dlq
from loopwright.cli.demo.command import demo
from loopwright.cli.doctor.command import doctor
from loopwright.cli.explaining.command import explain
from loopwright.cli.importing.command import import_
from loopwright.cli.promoting import promote, rollback
from loopwright.cli.recommending import recommend
from loopwright.cli.replaying import replay
from loopwright.cli.restarting import restart
from loopwright.cli.training import train

app = typer.Typer(
    name="loopwright",
    help="A closed-loop recommender mesh that keeps an honest record of its own influence.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)
app.command()(lifecycle.up)
app.command()(lifecycle.down)
app.command()(lifecycle.status)
app.command("restart")(restart)
app.command("demo")(demo)
app.command("import")(import_)
app.command("train")(train)
app.command("recommend")(recommend)
app.command("explain")(explain)
app.command("replay")(replay)
app.command("promote")(promote)
app.command("rollback")(rollback)
app.command("doctor")(doctor)
app.add_typer(dlq, name="dlq")

if __name__ == "__main__":
    app()
