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
  *)
    # Bytes as digits, and every letter that there is. Where MySQL's transactions have ids, its dump would set them, which
    # the server that has them refuses. (`loose`: to MariaDB under MySQL's names the option is unknown.)
    dump=mysqldump brand=MYSQL own=--loose-set-gtid-purged=OFF
    if [ "$ENGINE" = mariadb ]; then dump=mariadb-dump brand=MARIADB own=; fi
    docker exec database sh -c "export MYSQL_PWD=\"\$${brand}_ROOT_PASSWORD\"
      exec $dump --user=root --single-transaction --routines --events --hex-blob --default-character-set=utf8mb4 $own \
        \"\$${brand}_DATABASE\"" | gzip > "$there"
    ;;
esac
aws s3 cp "$there" "s3://$BUCKET/database/$NAME.sql.gz" --region "$REGION" --only-show-errors
echo "$NAME has $(stat -c %s "$there") bytes"
