#!/bin/bash
# As Terraform's own module writes it for a host with one container.
set -euo pipefail
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token)
CROSSFADE_INSTANCE=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)
export CROSSFADE_INSTANCE PORT=@PORT@

# A release's own, from here.
IMAGE='@IMAGE@'
@EXPORTS@
NAMES=(@NAMES@)
COMMAND=()
# A release's own, to here.

dnf install -y docker
systemctl enable --now docker
aws ecr get-login-password --region 'us-east-1' | docker login --username AWS --password-stdin "${IMAGE%%/*}"
docker pull "$IMAGE"
docker logout "${IMAGE%%/*}"
docker run --detach --restart always --name app-@PORT@ --publish @PORT@:@PORT@ \
  --log-driver awslogs --log-opt awslogs-region='us-east-1' --log-opt awslogs-group='@LOG_GROUP@' \
  --log-opt awslogs-stream="$CROSSFADE_INSTANCE-@PORT@" \
  --env PORT --env CROSSFADE_INSTANCE "${NAMES[@]/#/--env=}" "$IMAGE" "${COMMAND[@]}"
