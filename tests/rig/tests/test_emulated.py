"""What moto answers works through the gateway: each kind of protocol and what crossfade needs of it."""

import io
import json

import pytest
from tests.rig import Rig

pytestmark = pytest.mark.long


def test_dynamodb_takes_back_a_transaction_whose_condition_fails(rig: Rig) -> None:
    client = rig.client("dynamodb")
    client.create_table(
        TableName="emulated",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    put = {"TableName": "emulated", "Item": {"id": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(id)"}
    client.transact_write_items(TransactItems=[{"Put": put}])
    other = {"TableName": "emulated", "Item": {"id": {"S": "b"}}}
    with pytest.raises(client.exceptions.TransactionCanceledException):
        client.transact_write_items(TransactItems=[{"Put": other}, {"Put": put}])
    assert client.scan(TableName="emulated")["Count"] == 1


def test_s3_refuses_to_overwrite_what_must_not_be_there(rig: Rig) -> None:
    client = rig.client("s3")
    client.create_bucket(Bucket="emulated")
    client.put_object(Bucket="emulated", Key="a/ü b", Body=io.BytesIO(b"x" * 100_000), IfNoneMatch="*")
    with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
        client.put_object(Bucket="emulated", Key="a/ü b", Body=b"2", IfNoneMatch="*")
    assert len(client.get_object(Bucket="emulated", Key="a/ü b")["Body"].read()) == 100_000


def test_a_secret_has_versions(rig: Rig) -> None:
    client = rig.client("secretsmanager")
    first = client.create_secret(Name="emulated", SecretString="1")["VersionId"]
    client.put_secret_value(SecretId="emulated", SecretString="2")
    assert client.get_secret_value(SecretId="emulated")["SecretString"] == "2"
    assert client.get_secret_value(SecretId="emulated", VersionId=first)["SecretString"] == "1"


def test_an_image_in_ecr_is_found_by_its_tag(rig: Rig) -> None:
    client = rig.client("ecr")
    client.create_repository(repositoryName="emulated")
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []})
    client.put_image(repositoryName="emulated", imageManifest=manifest, imageTag="1")
    told = client.describe_images(repositoryName="emulated", imageIds=[{"imageTag": "1"}])
    assert told["imageDetails"][0]["imageTags"] == ["1"]


def test_an_image_that_is_registered_under_ecrs_name_is_in_ecr(rig: Rig) -> None:
    """Its tag moves; its digest does not."""
    reference = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/web:1"
    first = rig.images.add(reference, ["true"])
    second = rig.images.add(reference, ["false"])
    assert rig.images.add(reference, ["false"]) == second
    client = rig.client("ecr")

    def digest(**image: str) -> str:
        told = client.describe_images(repositoryName="shop/web", imageIds=[image])
        return str(told["imageDetails"][0]["imageDigest"])

    assert digest(imageTag="1") == second
    assert digest(imageDigest=first) == first


def test_roles_schedules_and_alarms_are_kept(rig: Rig) -> None:
    iam, scheduler, alarms = rig.client("iam"), rig.client("scheduler"), rig.client("cloudwatch")
    role = iam.create_role(RoleName="emulated", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    scheduler.create_schedule(
        Name="retire",
        ScheduleExpression="at(2030-01-01T00:00:00)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": "arn:aws:scheduler:::aws-sdk:ecs:updateService", "RoleArn": role},
    )
    assert scheduler.get_schedule(Name="retire")["State"] == "ENABLED"
    alarms.put_metric_alarm(
        AlarmName="emulated",
        Namespace="AWS/ApplicationELB",
        MetricName="RequestCount",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )
    alarms.set_alarm_state(AlarmName="emulated", StateValue="ALARM", StateReason="seen by a test")
    assert alarms.describe_alarms(StateValue="ALARM")["MetricAlarms"][0]["AlarmName"] == "emulated"


def test_regions_are_apart(rig: Rig) -> None:
    rig.client("ssm", "ap-northeast-2").put_parameter(Name="/region", Value="seoul", Type="String")
    here = rig.client("ssm")
    with pytest.raises(here.exceptions.ParameterNotFound):
        here.get_parameter(Name="/region")


def test_versions_of_a_launch_template_are_deleted_each_by_itself(rig: Rig) -> None:
    """Not the default one, and the answer says why; no number is given out twice."""
    client, name = rig.client("ec2"), {"LaunchTemplateName": "emulated"}
    data = {"LaunchTemplateData": {"InstanceType": "t3.micro"}}
    client.create_launch_template(**name, **data)
    client.create_launch_template_version(**name, **data)
    told = client.delete_launch_template_versions(**name, Versions=["1", "2", "9"])
    assert [one["VersionNumber"] for one in told["SuccessfullyDeletedLaunchTemplateVersions"]] == [2]
    kept = told["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert {one["VersionNumber"]: one["ResponseError"]["Code"] for one in kept} == {
        1: "unexpectedError",
        9: "launchTemplateVersionDoesNotExist",
    }
    made = client.create_launch_template_version(**name, **data)["LaunchTemplateVersion"]
    assert made["VersionNumber"] == 3
    with pytest.raises(client.exceptions.ClientError, match="VersionNotFound"):
        client.describe_launch_template_versions(**name, Versions=["2"])
    client.delete_launch_template_versions(**name, Versions=["3"])
    newest = client.describe_launch_template_versions(**name, Versions=["$Latest"])["LaunchTemplateVersions"]
    assert [one["VersionNumber"] for one in newest] == [1]
