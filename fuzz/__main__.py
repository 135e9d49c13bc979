"""Fuzz one reader: ``python -m fuzz TARGET [SECONDS]``, or all of them in turn: ``python -m fuzz all [SECONDS]`` each.

Guided by coverage with Atheris, where it is installed. What fails is written to ``fuzz/findings/``; a finding that is
understood moves to ``fuzz/corpus/TARGET/``, which the tests read too.
"""

import subprocess
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cobot_oidc.protocol", "json"]):
    import json.decoder  # noqa: F401 - to be followed by the fuzzer

    import cobot_oidc.protocol.id_token
    import cobot_oidc.protocol.redirects  # noqa: F401 - imported late otherwise, without instruments
    from fuzz.targets import TARGETS

HERE = Path(__file__).parent


def main(name: str, seconds: str = "60") -> int:
    """Fuzz, and answer with an exit status."""
    if name == "all":
        return max(subprocess.call([sys.executable, "-m", "fuzz", target, seconds]) for target in TARGETS)
    findings, learnt = HERE / "findings", HERE / "learnt" / name
    findings.mkdir(exist_ok=True)
    learnt.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-max_len=20000", "-timeout=5", f"-artifact_prefix={findings}/{name}-"]
    atheris.Setup([sys.argv[0], *options, str(learnt), str(HERE / "corpus" / name)], TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
