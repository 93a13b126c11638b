#!/bin/bash
# AfterInstall: what was unpacked becomes a release, is built, and is the one to start next. The one before stays as it
# was, so that a rollback finds it.
# shellcheck source=settings.sh
. "$(dirname "$0")/settings.sh"

release="$FOLDER/releases/$DEPLOYMENT_ID"
rm -rf "$release"
mv "$FOLDER/incoming" "$release"
chown -R app:app "$release"

if [ -n "$BUILD" ]; then
  (cd "$release" && runuser -u app -- env HOME="$FOLDER" /bin/bash -c "$BUILD")
fi

# One rename: at no moment is there no current release.
ln -sfn "$release" "$FOLDER/next"
mv -T "$FOLDER/next" "$FOLDER/current"

find "$FOLDER/releases" -mindepth 1 -maxdepth 1 -type d ! -path "$release" -printf '%T@ %p\n' | sort -rn |
  tail -n "+$KEEP" | cut -d' ' -f2- | xargs -r -d '\n' rm -rf
