#!/bin/bash
# ValidateService: every process has to answer well before the host gets visitors again. A failure here stops the
# deployment, and CodeDeploy takes it back.
# shellcheck source=settings.sh
. "$(dirname "$0")/settings.sh"

healthy() {
  local port=$1 try
  for try in $(seq "$TRIES"); do
    if curl -fsS -o /dev/null --max-time 5 "http://127.0.0.1:$port$HEALTH"; then
      return 0
    fi
    echo "port $port: try $try of $TRIES failed"
    [ "$try" = "$TRIES" ] || sleep "$EVERY"
  done
  echo "port $port never answered $HEALTH well" >&2
  return 1
}

first=""
for port in $PORTS; do
  healthy "$port"
  first=${first:-$port}
done

version=""
if [ -n "$THEN" ]; then
  answer=$(curl -fsS --max-time 5 "http://127.0.0.1:$first$THEN") || {
    echo "port $first: $THEN did not answer" >&2
    exit 1
  }
  version=$(printf '%s' "$answer" | tr -d '\n' | sed -n 's/.*"version"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p')
fi

# The release works whether CloudWatch hears of it or not.
metadata=http://169.254.169.254/latest
region=${AWS_REGION:-$(
  token=$(curl -fsS --max-time 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token") &&
    curl -fsS --max-time 5 -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/placement/region"
)} || true
aws cloudwatch put-metric-data --region "$region" --namespace "$NAMESPACE" --metric-name DeploymentSuccess --value 1 \
  --unit Count --dimensions "Environment=$ENVIRONMENT,Version=${version:-$DEPLOYMENT_ID}" ||
  echo "the metric DeploymentSuccess was not taken" >&2
