"""``python -m cobot_oidc.standin``: the stand-in on a port of its own, until Ctrl-C."""

import threading

import click

from .server import StandIn


@click.command(help="Run the stand-in Cobot on this machine, for demos and tests. It is no server for production.")
@click.option("--port", default=5001, show_default=True, type=click.IntRange(0, 65535), help="On the loopback; 0: any.")
@click.option("--client-id", default="demo", show_default=True)
@click.option("--client-secret", default="demo-secret", show_default=True, help="Empty for a public client.")
@click.option("--redirect-uri", default="http://localhost:5000/cobot/callback", show_default=True)
def main(port: int, client_id: str, client_secret: str, redirect_uri: str) -> None:
    stand_in = StandIn(port)
    stand_in.register_client(client_id, secret=client_secret or None, redirect_uri=redirect_uri, name=client_id)
    try:
        stand_in.start()
    except OSError as error:
        raise click.ClickException(f"Port {port} is taken. Choose another with --port.") from error
    try:
        click.echo("The stand-in Cobot runs. It is not Cobot; it answers on this machine alone.")
        click.echo(f"  global issuer   {stand_in.issuer}")
        click.echo(f"  spaces          {stand_in.space_issuer_template}")
        click.echo(f"  its behaviour   {stand_in.issuer}/stand-in")
        click.echo("Ctrl-C stops it.")
        threading.Event().wait()
    except KeyboardInterrupt:
        stand_in.stop()


if __name__ == "__main__":
    main()
