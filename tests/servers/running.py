"""The servers of docs/how-to/servers.md, started with the page's own files. Knows no pytest."""

import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from cobot_oidc.standin import StandIn

from ..certificates import Authority
from ..serving import free_port
from . import recipes

CLIENT_ID, CLIENT_SECRET = "served", "s3cret-of-the-served"
PATH = "/portal"
LONGEST_START, LONGEST_STOP = 60, 20  # seconds, on a busy machine
MODULES = Path("/usr/lib/apache2/modules")  # Debian's


@dataclass(frozen=True)
class Site:
    """An app that is served to browsers.

    :ivar url: its address, path included.
    :ivar bundle: whom its visitors trust.
    :ivar folder: its files and logs.
    """

    url: str
    bundle: Path
    folder: Path
    secret_key: str

    @property
    def logs(self) -> str:
        """What all servers have said so far."""
        return "".join(file.read_text(errors="replace") for file in sorted(self.folder.glob("*.log")))


@contextmanager
def serving(
    heading: str, cobot: StandIn, folder: Path, program: str, *, loads: str = "behind_nginx", workers: int | None = None
) -> Iterator[Site]:
    """Run the app as a section of the page says: behind nginx, or in Apache.

    :param program: the path of nginx, or of Apache. :param loads: the module with the app, in place of the page's.
    :param workers: in place of the page's.
    """
    port, inner_port = free_port(), free_port()
    authority = Authority(folder)
    certificate = authority.vouch_for("localhost")
    site = Site(f"https://localhost:{port}{PATH}", authority.bundle, folder, secrets.token_hex())
    cobot.register_client(CLIENT_ID, secret=CLIENT_SECRET, redirect_uri=f"{site.url}/cobot/callback", name="Served")
    here = {
        "/etc/ssl/portal/fullchain.pem": str(certificate),
        "/etc/ssl/portal/key.pem": str(certificate),
        "/var/log/nginx/": f"{folder}/",
        "/var/log/apache2/": f"{folder}/",
        "/srv/portal/.venv/lib/python3.11/site-packages": sysconfig.get_path("purelib"),
        "/srv/portal": str(folder),
        "127.0.0.1:8000": f"127.0.0.1:{inner_port}",
        "listen 443": f"listen 127.0.0.1:{port}",
        "*:443": f"127.0.0.1:{port}",
        "https://portal.example": f"https://localhost:{port}",
        "portal.example": "localhost",
        "behind_nginx:app": f"{loads}:app",
    }
    if workers is not None:
        here["workers = 2"] = f"workers = {workers}"
    for section in (recipes.APP, recipes.NGINX, heading):
        recipes.write(section, folder, here)
    _fill_in_environment(folder / ".env", site, cobot)
    with ExitStack() as running:
        if heading == recipes.APACHE:
            running.enter_context(_process(_apache(program, folder, port), folder, "apache", port))
        else:
            command = recipes.command(heading, here)
            command[0] = str(Path(sys.prefix, "bin", command[0]))
            running.enter_context(_process(command, folder, "server", inner_port))
            running.enter_context(_process(_nginx(program, folder), folder, "nginx", port))
        yield site


def _fill_in_environment(file: Path, site: Site, cobot: StandIn) -> None:
    values = {"SECRET_KEY": site.secret_key, "CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET}
    text = file.read_text(encoding="utf-8")
    for name, value in values.items():
        text = re.sub(rf"^(FLASK_\w*{name})=…$", rf"\1={value}", text, flags=re.MULTILINE)
    more = {"ISSUER": cobot.issuer, "SPACE_ISSUER": cobot.space_issuer_template}
    text += "".join(f"FLASK_COBOT_OIDC_{name}={value}\n" for name, value in more.items())
    file.write_text(text, encoding="utf-8")


def _nginx(program: str, folder: Path) -> list[str]:
    """The command, and what Debian's own ``nginx.conf`` says around the page's file."""
    folders = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    user = "user root;\n" if os.getuid() == 0 else ""  # so that its workers may use the test's folder
    whole.write_text(
        f"{user}daemon off;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{folders}include {folder}/portal;\n}}\n"
    )
    return [program, "-c", str(whole), "-e", str(folder / "nginx-errors.log")]


def _apache(program: str, folder: Path, port: int) -> list[str]:
    """The command, and what Debian's own configuration says around the page's file."""
    modules = {"mpm_event": "mpm_event", "ssl": "ssl", "wsgi": "wsgi", "authz_core": "authz_core"}
    loaded = "".join(f"LoadModule {name}_module {MODULES}/mod_{file}.so\n" for name, file in modules.items())
    whole = folder / "apache2.conf"
    whole.write_text(
        f"ServerRoot {folder}\nServerName localhost\nPidFile {folder}/apache2.pid\nDefaultRuntimeDir {folder}\n"
        f"ErrorLog {folder}/apache-errors.log\nMutex file:{folder}\nListen 127.0.0.1:{port}\n{loaded}"
        f"WSGISocketPrefix {folder}/wsgi\n"  # /var/run/apache2 comes with Debian's service alone
        f"Include {folder}/portal.conf\n"
    )
    command = [program, "-f", str(whole), "-DFOREGROUND"]
    if os.getuid() != 0:
        return command
    # Apache serves nobody as root; as another user it has to be allowed to read this test's folder, and our packages.
    as_other = ["--reuid=www-data", "--regid=www-data", "--clear-groups"]
    may_read = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", *as_other, *may_read, *command]


@contextmanager
def _process(command: list[str], folder: Path, name: str, port: int) -> Iterator[None]:
    """Run a server until the block ends, and see that it stops when it is told to."""
    log = folder / f"{name}.log"
    environment = os.environ | {"HOME": str(folder)}  # where gunicorn puts its control socket
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        _wait_for(port, process, log)
        yield
        process.send_signal(signal.SIGTERM)
        process.wait(LONGEST_STOP)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + LONGEST_START
    while True:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text(errors="replace"))
        time.sleep(0.02)
