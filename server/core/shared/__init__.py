"""What several server processes share beside the database: limits on tries, and messages. Nothing durable stands here.

One port with two adapters, one contract suite for both (tests/contracts/test_shared.py).
"""

from server.core.shared.in_process import InProcess
from server.core.shared.over_redis import OverRedis
from server.core.shared.port import Handler, Shared, Unsubscribe

__all__ = ["Handler", "InProcess", "OverRedis", "Shared", "Unsubscribe"]
