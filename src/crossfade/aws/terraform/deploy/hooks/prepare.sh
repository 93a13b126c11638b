#!/bin/bash
# BeforeInstall, as root: directories, a backup of what runs, and whose it all is.
# shellcheck source=settings.sh
. "$(dirname "$0")/settings.sh"

if [ -n "$PACKAGES" ]; then
  # shellcheck disable=SC2086 # several packages are several words
  dnf install -y -q $PACKAGES
fi

mkdir -p "$FOLDER/releases" "$FOLDER/backups" "$FOLDER/logs"
# CodeDeploy unpacks here; what an earlier try left would end up in the release.
rm -rf "$FOLDER/incoming"

if [ -e "$FOLDER/current" ]; then
  tar -czf "$FOLDER/backups/$DEPLOYMENT_ID.tar.gz" -C "$FOLDER/current/" .
  find "$FOLDER/backups" -name '*.tar.gz' -printf '%T@ %p\n' | sort -rn | tail -n "+$((KEEP + 1))" | cut -d' ' -f2- |
    xargs -r -d '\n' rm -f
fi
chown -R app:app "$FOLDER"
