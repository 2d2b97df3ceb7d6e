"""gRPC for every service: server, channel, deadlines, statuses, health, and the one interceptor chain."""

from loopwright.rpc.channel import MeshChannel, open_channel
from loopwright.rpc.deadline import Deadline, current_deadline
from loopwright.rpc.interceptors.identity import AccessMatrix
from loopwright.rpc.options import RECONNECTED_WITHIN_S
from loopwright.rpc.retrying import Guard
from loopwright.rpc.server import Mount, Serving, serving
from loopwright.rpc.settings import BreakerSettings, ChannelSettings, RetryPolicy, RetrySettings, RpcSettings
from loopwright.rpc.status import fault_from_call, grpc_code, to_status
from loopwright.rpc.stop import run, stop_requested

__all__ = [
    "RECONNECTED_WITHIN_S",
    "AccessMatrix",
    "BreakerSettings",
    "ChannelSettings",
    "Deadline",
    "Guard",
    "MeshChannel",
    "Mount",
    "RetryPolicy",
    "RetrySettings",
    "RpcSettings",
    "Serving",
    "current_deadline",
    "fault_from_call",
    "grpc_code",
    "open_channel",
    "run",
    "serving",
    "stop_requested",
    "to_status",
]
