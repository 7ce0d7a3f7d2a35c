"""``qbwatch run``: the daemon in the foreground."""

from __future__ import annotations

import click

from qbwatch.cli.options import config_option, load_config
from qbwatch.core.model import QbwatchError


@click.command(short_help="Run the daemon in the foreground (what systemd starts).")
@config_option
def run(config: str | None) -> int:
    """Run the daemon in the foreground: this is what systemd starts. SIGTERM or Ctrl-C stops it.

    Exit code 0 after a stop, 1 when it can't go on (systemd then starts it again), 2 when the configuration is wrong.

    \b
    Example:
      qbwatch run --config /etc/qbwatch/qbwatch.toml
    """
    from qbwatch import log
    from qbwatch.daemon import run_daemon

    loaded = load_config(config)
    log.configure(remember=True)
    for secret in loaded.secrets():
        log.register_secret(secret)
    try:
        return run_daemon(loaded)
    except QbwatchError:
        raise
    except Exception:  # noqa: BLE001 (the top of thread `main`)
        log.get_logger(__name__).exception("the daemon ended by a fault of its own")
        return 1
