"""Dumps of a database on a host of its own: what the host runs to write one down, and to give it back beside itself."""

import shlex
from importlib.resources import files

FOLDER = "database/"  # of the bucket
END = ".sql.gz"

_DUMP = files("crossfade.aws.terraform.modules") / "database" / "host" / "dump.sh"
_RESTORE = """\
# Makes another database of a dump, beside the one that serves. A half one goes again.
set -euo pipefail
umask 077
folder=$([ -d /data ] && echo /data/dumps || echo /var/tmp/dumps)
mkdir -p "$folder"
there="$folder/$INTO.sql.gz"
trap 'rm -f "$there"' EXIT
aws s3 cp "s3://$BUCKET/database/$NAME.sql.gz" "$there" --region "$REGION" --only-show-errors
case $ENGINE in
  postgres)
    docker exec database createdb --username=app "$INTO"
    gunzip --stdout "$there" |
      docker exec -i database psql --username=app --dbname="$INTO" --quiet --set ON_ERROR_STOP=1 > /dev/null || {
      docker exec database dropdb --username=app "$INTO"
      exit 1
    }
    ;;
  *)
    client=mysql secret=MYSQL_ROOT_PASSWORD
    if [ "$ENGINE" = mariadb ]; then client=mariadb secret=MARIADB_ROOT_PASSWORD; fi
    ask() {
      docker exec -i database sh -c "export MYSQL_PWD=\\"\\$$secret\\"
        exec $client --user=root --default-character-set=utf8mb4 $*"
    }
    ask <<< "CREATE DATABASE $INTO"
    # Its events rest: they would do a second time what those of the one that serves do.
    events="SELECT CONCAT('ALTER EVENT $INTO.\\`', EVENT_NAME, '\\` DISABLE;') FROM information_schema.EVENTS"
    {
      gunzip --stdout "$there" | ask "$INTO" &&
        ask <<< "GRANT ALL ON $INTO.* TO app" &&
        ask --skip-column-names <<< "$events WHERE EVENT_SCHEMA = '$INTO'" | ask
    } || {
      ask <<< "DROP DATABASE $INTO"
      exit 1
    }
    ;;
esac
echo "$INTO has the data of $NAME"
"""


def dump(engine: str, bucket: str, region: str, name: str) -> str:
    """A script for bash, as root. `name` is the dump's own."""
    return _settings(ENGINE=engine, BUCKET=bucket, REGION=region, NAME=name) + _DUMP.read_text(encoding="utf-8")


def restore(engine: str, bucket: str, region: str, name: str, into: str) -> str:
    """The same for a dump that becomes the database `into`: lower-case letters, digits and underscores."""
    return _settings(ENGINE=engine, BUCKET=bucket, REGION=region, NAME=name, INTO=into) + _RESTORE


def _settings(**given: str) -> str:
    return "#!/bin/bash\n" + "".join(f"{name}={shlex.quote(text)}\n" for name, text in given.items())
