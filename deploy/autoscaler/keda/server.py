"""Tell KEDA the wanted number of replicas, from the result of the last turn; a call never touches Kafka.

The metric is the wanted number and its target is 1, so the HPA behind KEDA scales to exactly that number. An HPA
ignores an increase below 10 % (its tolerance); the value is therefore padded until it exceeds that.
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
# Each stream occupies a thread; KEDA opens one per ScaledObject.
_THREADS = 16
_STREAM_CHECK_SECONDS = 1.0
_STOP_SECONDS = 2.0


def padded(wanted: int, current: int) -> int:
    """Return the wanted number; if it is more than `current`, at least as much as an HPA needs to act."""
    return wanted if wanted <= current else max(wanted, math.floor(current * (1 + _TOLERANCE)) + 1)


class PoolScaler(service.ExternalScalerServicer):
    """The scaler of one pool. Thread-safe. Calls fail until the first measurement, so that KEDA falls back."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._changed = threading.Condition()
        self._replicas: int | None = None

    def publish(self, state: ScalingState) -> None:
        """Take over the result of a turn; a turn without a measurement changes nothing."""
        if state.decision is None or state.snapshot is None:
            return
        with self._changed:
            self._replicas = padded(state.decision.replicas, state.snapshot.current)
            self._changed.notify_all()

    def IsActive(
        self, request: messages.ScaledObjectRef, context: grpc.ServicerContext
    ) -> messages.IsActiveResponse:
        """Tell whether any replica is wanted."""
        return messages.IsActiveResponse(result=self._answer(request, context) > 0)

    def StreamIsActive(
        self, request: messages.ScaledObjectRef, context: grpc.ServicerContext
    ) -> Iterator[messages.IsActiveResponse]:
        """Yield whether any replica is wanted, at the start and at every change, until the client leaves."""
        sent: bool | None = None
        while context.is_active():
            is_active = self._answer(request, context) > 0
            if is_active is not sent:
                sent = is_active
                yield messages.IsActiveResponse(result=is_active)
            with self._changed:
                self._changed.wait(_STREAM_CHECK_SECONDS)

    def GetMetricSpec(
        self, request: messages.ScaledObjectRef, context: grpc.ServicerContext
    ) -> messages.GetMetricSpecResponse:
        """Return the name of the metric and its target."""
        self._check_pool(request, context)
        spec = messages.MetricSpec(metricName=METRIC, targetSize=1, targetSizeFloat=1.0)
        return messages.GetMetricSpecResponse(metricSpecs=[spec])

    def GetMetrics(
        self, request: messages.GetMetricsRequest, context: grpc.ServicerContext
    ) -> messages.GetMetricsResponse:
        """Return the wanted number of replicas, padded."""
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
    """Serves one scaler at `address` (host:port). Raises FatalError when the address is taken."""

    def __init__(self, scaler: PoolScaler, address: str) -> None:
        self._server = grpc.server(ThreadPoolExecutor(_THREADS, "keda"), options=[("grpc.so_reuseport", 0)])
        service.add_ExternalScalerServicer_to_server(scaler, self._server)
        try:
            self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise FatalError(f"DRAGOMAN_AUTOSCALER_KEDA_ADDRESS: cannot listen at {address}") from error
        self._server.start()

    def close(self) -> None:
        """End the calls in progress and stop listening."""
        self._server.stop(_STOP_SECONDS).wait()


def _refuse(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")
