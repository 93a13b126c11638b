# Read by each hook: the settings of the environment that CodeDeploy's application is called after.
set -euo pipefail

deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
found=$(grep -lx "NAME=$APPLICATION_NAME" "$deploy"/*/settings.sh) || {
  echo "no settings for $APPLICATION_NAME in $deploy" >&2
  exit 1
}
# shellcheck source=/dev/null
. "$found"

# systemd's units of the processes, one a port.
units() {
  local port
  for port in $PORTS; do
    echo "app@$port"
  done
}
