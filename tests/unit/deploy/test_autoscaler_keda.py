"""What KEDA is told, by a real gRPC client."""

import threading
from collections.abc import Iterator

import grpc
import pytest

from deploy.autoscaler.controller import ScalingState
from deploy.autoscaler.decision import ScalingDecision, ScalingReason, Snapshot
from deploy.autoscaler.keda import externalscaler_pb2 as messages
from deploy.autoscaler.keda.externalscaler_pb2_grpc import ExternalScalerStub
from deploy.autoscaler.keda.server import KedaServer, PoolScaler, padded
from schemas.errors import FatalError
from tests.ports import free_port

REF = messages.ScaledObjectRef(name="worker", namespace="dragoman", scalerMetadata={"pool": "default"})


def state(replicas: int, current: int = 2) -> ScalingState:
    return ScalingState(
        ScalingDecision(replicas, replicas, ScalingReason.DEADLINE), Snapshot({}, 1.0, 1.0, current)
    )


@pytest.fixture
def scaler() -> PoolScaler:
    return PoolScaler("default")


@pytest.fixture
def keda(scaler: PoolScaler) -> Iterator[ExternalScalerStub]:
    address = f"127.0.0.1:{free_port()}"
    server = KedaServer(scaler, address)
    with grpc.insecure_channel(address) as channel:
        yield ExternalScalerStub(channel)
    server.close()


def told(keda: ExternalScalerStub) -> int:
    (value,) = keda.GetMetrics(messages.GetMetricsRequest(scaledObjectRef=REF, metricName="replicas")).metricValues
    assert value.metricName == "replicas"
    assert value.metricValue == value.metricValueFloat
    return int(value.metricValue)


def test_the_metric_is_the_wanted_number_and_its_target_is_one(
    scaler: PoolScaler, keda: ExternalScalerStub
) -> None:
    scaler.publish(state(7))
    (spec,) = keda.GetMetricSpec(REF).metricSpecs

    assert (spec.metricName, spec.targetSize, spec.targetSizeFloat) == ("replicas", 1, 1.0)
    assert told(keda) == 7


def test_while_nothing_can_be_measured_the_last_answer_stands(
    scaler: PoolScaler, keda: ExternalScalerStub
) -> None:
    scaler.publish(state(7))
    scaler.publish(ScalingState(ScalingDecision(7, 7, ScalingReason.BLIND), None, "no broker"))

    assert told(keda) == 7


def test_before_the_first_measurement_keda_gets_an_error_for_its_fallback(keda: ExternalScalerStub) -> None:
    for call in (lambda: told(keda), lambda: keda.IsActive(REF)):
        with pytest.raises(grpc.RpcError) as refused:
            call()
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


def test_another_pool_is_refused_by_name(scaler: PoolScaler, keda: ExternalScalerStub) -> None:
    scaler.publish(state(7))
    with pytest.raises(grpc.RpcError) as refused:
        keda.IsActive(messages.ScaledObjectRef(scalerMetadata={"pool": "premium"}))

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "pool is 'premium'" in refused.value.details()


def test_zero_is_an_answer_and_not_active(scaler: PoolScaler, keda: ExternalScalerStub) -> None:
    scaler.publish(state(0))

    assert told(keda) == 0
    assert keda.IsActive(REF).result is False


def test_the_stream_tells_every_change(scaler: PoolScaler, keda: ExternalScalerStub) -> None:
    scaler.publish(state(0))
    stream = keda.StreamIsActive(REF)
    assert next(stream).result is False
    threading.Timer(0.1, scaler.publish, [state(3)]).start()
    assert next(stream).result is True
    stream.cancel()


@pytest.mark.parametrize(
    ("wanted", "current", "told"), [(64, 63, 70), (20, 10, 20), (2, 1, 2), (1, 0, 1), (19, 20, 19), (20, 20, 20)]
)
def test_the_dead_band_of_the_hpa_is_left(wanted: int, current: int, told: int) -> None:
    assert padded(wanted, current) == told
    assert told <= current or current == 0 or told / current > 1.1


def test_a_taken_address_is_named(keda: ExternalScalerStub, scaler: PoolScaler) -> None:
    address = f"127.0.0.1:{free_port()}"
    first = KedaServer(scaler, address)
    with pytest.raises(FatalError, match="DRAGOMAN_AUTOSCALER_KEDA_ADDRESS"):
        KedaServer(scaler, address)
    first.close()
