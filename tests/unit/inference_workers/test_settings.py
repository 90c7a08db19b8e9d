"""Where models run and what the machine costs are two settings."""

import pytest

from inference_workers.engines.protocol import Device
from inference_workers.settings import WorkerLimits


def test_device_is_where_models_run_and_hardware_is_the_price_key(monkeypatch):
    monkeypatch.setenv("DRAGOMAN_WORKER_DEVICE", "cuda")
    monkeypatch.setenv("DRAGOMAN_WORKER_HARDWARE", "t4")
    limits = WorkerLimits()
    assert (limits.device, limits.hardware) == (Device.CUDA, "t4")


@pytest.mark.parametrize(("device", "hardware"), [("t4", "t4"), ("cuda", "cpu"), ("cpu", "")])
def test_a_price_key_is_no_device_and_a_gpu_is_not_paid_as_a_cpu(monkeypatch, device, hardware):
    monkeypatch.setenv("DRAGOMAN_WORKER_DEVICE", device)
    monkeypatch.setenv("DRAGOMAN_WORKER_HARDWARE", hardware)
    with pytest.raises(ValueError, match=r"device|hardware"):
        WorkerLimits()
