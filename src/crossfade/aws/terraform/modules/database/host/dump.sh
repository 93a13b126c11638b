# Writes the database of this host down, into its bucket: whole or not at all. Before this stand what it is about:
# ENGINE, BUCKET, REGION, and NAME of the dump.
set -euo pipefail
umask 077
# Beside the data, where there is room for it.
folder=$([ -d /data ] && echo /data/dumps || echo /var/tmp/dumps)
mkdir -p "$folder"
exec 9> "$folder/lock"
flock 9

there="$folder/$NAME.sql.gz"
trap 'rm -f "$there"' EXIT
case $ENGINE in
  postgres)
    # shellcheck disable=SC2016 # the container's own variables
    docker exec database sh -c 'exec pg_dump --username=app --no-owner "$POSTGRES_DB"' | gzip > "$there"
    ;;
  mysql)
    # shellcheck disable=SC2016 # as above
    docker exec database sh -c 'export MYSQL_PWD="$MYSQL_ROOT_PASSWORD"
      exec mysqldump --user=root --single-transaction --routines --events "$MYSQL_DATABASE"' | gzip > "$there"
    ;;
  mariadb)
    # shellcheck disable=SC2016 # as above
    docker exec database sh -c 'export MYSQL_PWD="$MARIADB_ROOT_PASSWORD"
      exec mariadb-dump --user=root --single-transaction --routines --events "$MARIADB_DATABASE"' | gzip > "$there"
    ;;
esac
aws s3 cp "$there" "s3://$BUCKET/database/$NAME.sql.gz" --region "$REGION" --only-show-errors
echo "$NAME has $(stat -c %s "$there") bytes"
