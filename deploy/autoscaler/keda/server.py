"""Answers KEDA from what the last turn found; a call never touches Kafka.

The metric is the wanted number of replicas and its target is 1, so the HPA behind KEDA only follows. An HPA
ignores less than 10 % more (its tolerance); the value is therefore padded until it must act.
"""

import math
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import grpc

from deploy.autoscaler.controller import ScalingState
from deploy.autoscaler.keda import externalscaler_pb2 as messages
from deploy.autoscaler.keda import externalscaler_pb2_grpc as service
from schemas.errors import FatalError

METRIC = "replicas"
_TOLERANCE = 0.1
# Streams hold a thread each; KEDA opens one per ScaledObject.
_THREADS = 16
_STREAM_CHECK_SECONDS = 1.0
_STOP_SECONDS = 2.0


def padded(wanted: int, current: int) -> int:
    """The wanted number; where more are wanted, enough more that an HPA with `current` replicas acts."""
    return wanted if wanted <= current else max(wanted, math.floor(current * (1 + _TOLERANCE)) + 1)


class PoolScaler(service.ExternalScalerServicer):
    """One pool. Thread-safe. Until something was measured every call fails, so that KEDA's fallback holds."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._changed = threading.Condition()
        self._replicas: int | None = None

    def publish(self, state: ScalingState) -> None:
        """After every turn; one that measured nothing changes nothing."""
        if state.decision is None or state.snapshot is None:
            return
        with self._changed:
            self._replicas = padded(state.decision.replicas, state.snapshot.current)
            self._changed.notify_all()

    def IsActive(
        self, request: messages.ScaledObjectRef, context: grpc.ServicerContext
    ) -> messages.IsActiveResponse:
        return messages.IsActiveResponse(result=self._answer(request, context) > 0)

    def StreamIsActive(
        self, request: messages.ScaledObjectRef, context: grpc.ServicerContext
    ) -> Iterator[messages.IsActiveResponse]:
        said: bool | None = None
        while context.is_active():
            is_active = self._answer(request, context) > 0
            if is_active is not said:
                said = is_active
                yield messages.IsActiveResponse(result=is_active)
            with self._changed:
                self._changed.wait(_STREAM_CHECK_SECONDS)

    def GetMetricSpec(
        self, request: messages.ScaledObjectRef, context: grpc.ServicerContext
    ) -> messages.GetMetricSpecResponse:
        self._check_pool(request, context)
        spec = messages.MetricSpec(metricName=METRIC, targetSize=1, targetSizeFloat=1.0)
        return messages.GetMetricSpecResponse(metricSpecs=[spec])

    def GetMetrics(
        self, request: messages.GetMetricsRequest, context: grpc.ServicerContext
    ) -> messages.GetMetricsResponse:
        replicas = self._answer(request.scaledObjectRef, context)
        value = messages.MetricValue(metricName=METRIC, metricValue=replicas, metricValueFloat=float(replicas))
        return messages.GetMetricsResponse(metricValues=[value])

    def _answer(self, request: messages.ScaledObjectRef, context: grpc.ServicerContext) -> int:
        self._check_pool(request, context)
        if self._replicas is None:
            _refuse(context, grpc.StatusCode.UNAVAILABLE, "nothing is measured yet")
        return self._replicas

    def _check_pool(self, request: messages.ScaledObjectRef, context: grpc.ServicerContext) -> None:
        pool = request.scalerMetadata.get("pool", self._pool)
        if pool != self._pool:
            _refuse(
                context, grpc.StatusCode.INVALID_ARGUMENT, f"pool is {pool!r}; this scaler knows {self._pool!r}"
            )


class KedaServer:
    """Serves one scaler at `address` (host:port). Raises FatalError where that is taken."""

    def __init__(self, scaler: PoolScaler, address: str) -> None:
        self._server = grpc.server(ThreadPoolExecutor(_THREADS, "keda"), options=[("grpc.so_reuseport", 0)])
        service.add_ExternalScalerServicer_to_server(scaler, self._server)
        try:
            self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise FatalError(f"DRAGOMAN_AUTOSCALER_KEDA_ADDRESS: cannot listen at {address}") from error
        self._server.start()

    def close(self) -> None:
        """Ends the calls under way."""
        self._server.stop(_STOP_SECONDS).wait()


def _refuse(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")
