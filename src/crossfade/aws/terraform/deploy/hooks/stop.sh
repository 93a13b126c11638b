#!/bin/bash
# ApplicationStop: the host is out of the balancer, and its requests are done. This is the script of the revision that
# runs; on a first deployment there is none.
# shellcheck source=settings.sh
. "$(dirname "$0")/settings.sh"

mapfile -t names < <(units)
systemctl stop "${names[@]}"
