#!/bin/sh
# Installs qbwatch from its wheel into /opt/qbwatch, brings an installation to another version, or takes it away.
# As root, on a machine with systemd:
#
#   sh install.sh qbwatch-0.1.0-py3-none-any.whl [OPTIONS FOR PIP]    install, or upgrade
#   sh install.sh --uninstall                                         remove program and units; keep what it knows
#   sh install.sh --purge                                             and the configuration, the state and the account
#
# An upgrade stops the daemon, which rolls a load back or finishes it, and starts it again with the new version: what
# waits in the queue stays there. When the new version can't be installed, the old one is started again.
# PYTHON names the interpreter (3.11 or newer) if it isn't python3.
set -eu
umask 022

home=/opt/qbwatch
units=/etc/systemd/system
say() { printf 'qbwatch: %s\n' "$*"; }
fail() { printf 'qbwatch: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "only root can install it"

remove() {
  systemctl disable --now qbwatch.service >/dev/null 2>&1 || true
  rm -f "$units/qbwatch.service" "$units/qbwatch-alert@.service" /etc/systemd/journald.conf.d/qbwatch.conf
  rm -f /usr/local/bin/qbwatch /usr/local/bin/qbwatch-orchestrator
  rm -rf "$home"
  systemctl daemon-reload
  if [ "$1" = --purge ]; then
    rm -rf /var/lib/qbwatch /etc/qbwatch
    ! getent passwd qbwatch >/dev/null || userdel qbwatch
    say "removed, with its configuration and its state. The database is as it was: drop the schemas by hand"
  else
    say "removed. Kept: /etc/qbwatch, /var/lib/qbwatch, the account qbwatch, and everything in the database"
  fi
}

write_units() { # for the configuration there is; one that is wrong leaves the units as they are
  [ -f /etc/qbwatch/qbwatch.toml ] && [ -f "$units/qbwatch.service" ] || return 0
  account=$(sed -n 's/^User=//p' "$units/qbwatch.service" | tail -n 1)
  for unit in qbwatch.service qbwatch-alert@.service; do
    option=; [ "$unit" = qbwatch.service ] || option=--alert
    if "$home/bin/qbwatch" systemd-unit $option --account "${account:-qbwatch}" >"$units/.$unit.new"; then
      mv "$units/.$unit.new" "$units/$unit"
    else
      rm -f "$units/.$unit.new"
      say "$unit is left as it is; see: qbwatch doctor"
    fi
  done
  systemctl daemon-reload
}

case ${1:---help} in
  --uninstall | --purge) remove "$1"; exit 0 ;;
  -*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac

wheel=$1
shift
[ -f "$wheel" ] || fail "there is no file $wheel"
python=${PYTHON:-python3}
"$python" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  || fail "it needs Python 3.11 or newer with its venv module (Debian: apt-get install python3-venv), or PYTHON=…"

getent passwd qbwatch >/dev/null \
  || useradd --system --user-group --home-dir /var/lib/qbwatch --shell /usr/sbin/nologin qbwatch
[ -x "$home/bin/python" ] || "$python" -m venv "$home"

was_active=
if systemctl is-active --quiet qbwatch.service; then
  was_active=yes
  trap 'systemctl start --no-block qbwatch.service' EXIT
  systemctl stop qbwatch.service
fi
pip() { "$home/bin/python" -m pip --quiet --disable-pip-version-check --no-input install "$@"; }
pip "$@" "$wheel"                                     # with what it depends on
pip --no-index --no-deps --force-reinstall "$wheel"   # also when the version's number is the same
ln -sf "$home/bin/qbwatch" "$home/bin/qbwatch-orchestrator" /usr/local/bin/
write_units
if [ -n "$was_active" ]; then
  trap - EXIT
  systemctl start qbwatch.service || fail "it doesn't start: journalctl -u qbwatch -n 50"
fi
say "$("$home/bin/qbwatch" --version) is installed in $home"
[ -f /etc/qbwatch/qbwatch.toml ] || say "next: qbwatch init"
