"""What `infra apply` makes for processes on hosts that CodeDeploy brings: groups of both services, and a bucket."""

import base64
import json
from pathlib import Path

from tests.rig.groups import Groups, make
from tests.rig.place import PORT
from tests.rig.rig import Rig
from tests.rig.wire import Json

from crossfade.aws.places import COLOURS, GROUP, Places

USER_DATA = Path(__file__).with_name("user-data-processes.sh")


def place(
    rig: Rig, app: str, environment: str = "dev", service: str = "web", *, most: int = 4, delay: int = 30
) -> Groups:
    """Nothing runs there yet. CodeDeploy's groups are called as the Auto Scaling groups, and not attached to them."""
    places = Places(app, environment)
    bucket = f"{places.prefix}-revisions-1"
    rig.client("s3").create_bucket(Bucket=bucket)
    made = make(rig, app, environment, service, desired=0, most=most, delay=delay, data=_data(places, bucket))
    codedeploy = rig.client("codedeploy")
    files = [{"file_path": places.processes_log, "log_group_name": log_group(places)}]
    agent = {"logs": {"logs_collected": {"files": {"collect_list": files}}}}
    rig.client("logs").create_log_group(logGroupName=log_group(places))
    rig.client("ssm").put_parameter(Name=_agent(places), Type="String", Value=json.dumps(agent))
    codedeploy.create_application(applicationName=places.prefix, computePlatform="Server")
    for colour in COLOURS:
        name = places.coloured(service, colour)
        codedeploy.create_deployment_group(
            applicationName=places.prefix,
            deploymentGroupName=name,
            serviceRoleArn="arn:aws:iam::123456789012:role/codedeploy",
            deploymentConfigName="CodeDeployDefault.AllAtOnce",
            deploymentStyle={"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"},
            ec2TagSet={"ec2TagSetList": [[{"Key": GROUP, "Value": name, "Type": "KEY_AND_VALUE"}]]},
            outdatedInstancesStrategy="IGNORE",
        )
    return made


def log_group(places: Places) -> str:
    """Where the hosts' agent brings what their processes write."""
    return f"/{places.prefix}/app"


def _agent(places: Places) -> str:
    return f"AmazonCloudWatch-{places.prefix}"


def _data(places: Places, bucket: str) -> Json:
    script = USER_DATA.read_text().replace("@BUCKET@", bucket).replace("@FOLDER@", f"/opt/{places.app}")
    script = script.replace("@AGENT@", _agent(places))
    return {
        "ImageId": "ami-12c6146b",
        "InstanceType": "t3.micro",
        "UserData": base64.b64encode(script.replace("@PORT@", str(PORT)).encode()).decode(),
    }
