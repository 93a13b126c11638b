"""What goes wrong when it shall, and with nothing else."""

import random

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from tests.rig import Fault, Kind, Rig
from tests.rig.knobs import Knobs


def test_a_fault_fits_by_service_and_operation() -> None:
    fault = Fault(service="ecs", operation="Describe*")
    assert fault.fits("ecs", "DescribeTasks")
    assert not fault.fits("ecs", "UpdateService")
    assert not fault.fits("elbv2", "DescribeRules")


def test_a_fault_for_so_many_calls_is_over_after_them() -> None:
    knobs = Knobs(faults=[Fault(times=2)])
    assert [knobs.fault("ecs", "RunTask") is not None for _ in range(4)] == [True, True, False, False]


def test_a_fault_with_a_rate_hits_about_that_share() -> None:
    knobs = Knobs(faults=[Fault(rate=0.25)], chance=random.Random(1))
    assert 200 < sum(knobs.fault("ecs", "RunTask") is not None for _ in range(1000)) < 300


def test_all_times_are_divided_by_the_pace() -> None:
    assert Knobs(pace=20).real(60) == 3


@pytest.mark.long
class TestOverTheWire:
    """Of the rig as clients see it."""

    def test_a_throttled_call_is_refused_and_not_done(self, knobs: Rig) -> None:
        ssm = knobs.client("ssm")
        knobs.knobs.throttle("ssm", "PutParameter", times=1)
        with pytest.raises(ClientError) as refused:
            ssm.put_parameter(Name="/throttled", Value="1", Type="String")
        assert refused.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
        with pytest.raises(ssm.exceptions.ParameterNotFound):
            ssm.get_parameter(Name="/throttled")
        ssm.put_parameter(Name="/throttled", Value="1", Type="String")

    def test_an_operation_of_the_rigs_own_goes_wrong_like_any_other(self, knobs: Rig) -> None:
        knobs.knobs.refuse("ecs", "ListTasks", "AccessDeniedException", message="not you", times=1)
        with pytest.raises(knobs.client("ecs").exceptions.AccessDeniedException, match="not you"):
            knobs.client("ecs").list_tasks()

    def test_a_query_service_says_its_error_in_xml(self, knobs: Rig) -> None:
        knobs.knobs.throttle("elbv2", "DescribeLoadBalancers")
        with pytest.raises(ClientError, match="ThrottlingException"):
            knobs.client("elbv2").describe_load_balancers()
        knobs.client("elbv2").describe_target_groups()

    def test_a_rest_service_is_known_by_its_paths(self, knobs: Rig) -> None:
        s3, scheduler = knobs.client("s3"), knobs.client("scheduler")
        s3.create_bucket(Bucket="knobs")
        knobs.knobs.refuse("s3", "PutObject", "SlowDown", status=503)
        knobs.knobs.throttle("scheduler", "ListSchedules")
        with pytest.raises(ClientError, match="SlowDown"):
            s3.put_object(Bucket="knobs", Key="a/b", Body=b"1")
        with pytest.raises(ClientError, match="ThrottlingException"):
            scheduler.list_schedules()
        assert "Contents" not in s3.list_objects_v2(Bucket="knobs")

    def test_a_lost_answer_is_of_something_that_was_done(self, knobs: Rig) -> None:
        ssm = knobs.client("ssm")
        knobs.knobs.lose_answer("ssm", "PutParameter", times=1)
        with pytest.raises(ConnectionClosedError):
            ssm.put_parameter(Name="/lost", Value="1", Type="String")
        assert ssm.get_parameter(Name="/lost")["Parameter"]["Value"] == "1"

    def test_a_call_that_is_cut_off_was_not_done(self, knobs: Rig) -> None:
        ssm = knobs.client("ssm")
        knobs.knobs.cut("ssm", "PutParameter", times=1)
        with pytest.raises(ConnectionClosedError):
            ssm.put_parameter(Name="/cut", Value="1", Type="String")
        with pytest.raises(ssm.exceptions.ParameterNotFound):
            ssm.get_parameter(Name="/cut")

    def test_a_late_answer_comes(self, knobs: Rig) -> None:
        knobs.knobs.delay("sts", seconds=0.2)
        assert knobs.client("sts").get_caller_identity()["Account"] == "123456789012"

    def test_a_knob_that_there_is_not_is_refused(self, rig: Rig) -> None:
        with pytest.raises(ValueError, match="laag"):
            rig.knobs.set(laag=3)
        with pytest.raises(ValueError, match="pace"):
            rig.knobs.set(pace=0)

    def test_calls_are_counted(self, rig: Rig) -> None:
        before = rig.calls().get("ecs:ListClusters", 0)
        rig.client("ecs").list_clusters()
        assert rig.calls()["ecs:ListClusters"] == before + 1


def test_faults_say_their_kind_as_text() -> None:
    knobs = Knobs()
    knobs.change({"faults": [{"service": "ecs", "kind": "lost"}], "lag": 5})
    assert knobs.faults == [Fault(service="ecs", kind=Kind.LOST)]
    assert knobs.lag == 5
