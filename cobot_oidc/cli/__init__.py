"""``flask cobot``: the commands for those who run an app. ``register`` needs no app, as there may be no client yet.

Flask imports this module, an entry point of ``flask.commands``, whenever ``flask`` runs. Therefore it imports nothing
that Flask has not imported already; each command is a module beside it, imported only if it is needed.
"""

from importlib import import_module

import click

COMMANDS = ("register", "check", "discover", "keys", "verify")  # each is a module here, and its ``command``


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f".{cmd_name}", __name__).command
        return command


cobot = _Commands("cobot", help="Set up logging in with Cobot.")
