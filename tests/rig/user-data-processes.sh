#!/bin/bash
# As Terraform's own module writes it for a host with processes that CodeDeploy brings.
set -euo pipefail
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' http://169.254.169.254/latest/api/token)
CROSSFADE_INSTANCE=$(curl -sf -H "X-aws-ec2-metadata-token: $token" http://169.254.169.254/latest/meta-data/instance-id)

dnf install -y amazon-cloudwatch-agent
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c 'ssm:@AGENT@'

# A release's own, from here.
REVISION='s3://@BUCKET@/'
# A release's own, to here.

useradd --system --create-home --home-dir '@FOLDER@' app || true
install -d -o app -g app '@FOLDER@' '@FOLDER@/logs'
cat > /usr/local/bin/start-app <<'START'
#!/bin/bash
set -euo pipefail
. /etc/app/release.sh
exec /bin/sh -c "exec $COMMAND"
START
chmod 755 /usr/local/bin/start-app

cat > /etc/systemd/system/app@.service <<UNIT
[Unit]
ConditionPathExists=@FOLDER@/current

[Service]
WorkingDirectory=@FOLDER@/current
Environment=PORT=%i CROSSFADE_INSTANCE=$CROSSFADE_INSTANCE
ExecStart=/usr/local/bin/start-app
StandardOutput=append:@FOLDER@/logs/app.log
Restart=always
UNIT
systemctl daemon-reload
systemctl enable app@@PORT@

dnf install -y ruby wget
wget -q -O /tmp/install 'https://aws-codedeploy-us-east-1.s3.us-east-1.amazonaws.com/latest/install'
chmod 755 /tmp/install
/tmp/install auto
