#!/bin/bash
# ApplicationStart: every process of the host begins with the new release.
# shellcheck source=settings.sh
. "$(dirname "$0")/settings.sh"

mapfile -t names < <(units)
systemctl restart "${names[@]}"
