"""The registry of every span, attribute and metric of the mesh; nothing else can be emitted.

A service adds an entry by adding one constant; `SPANS`, `ATTRIBUTES` and `METRICS` collect the constants.
"""

from __future__ import annotations

from loopwright.telemetry.entries import Attribute, Metric, MetricType, SpanName

_COUNTER, _HISTOGRAM, _GAUGE = MetricType.COUNTER, MetricType.HISTOGRAM, MetricType.GAUGE
# From a tenth of the smallest hop measured (.45 ms) up to the longest deadline a caller sends.
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZES = (0.0, 1.0, 10.0, 30.0, 100.0, 200.0, 300.0, 500.0, 1000.0, 2000.0)

# Spans: the stages of one request.
RECOMMEND = SpanName("recommend", "one request through the whole pipeline, in the recommender")
HYDRATE_USER = SpanName("hydrate_user", "stage 1: the user's row, guards and recent items")
RETRIEVE = SpanName("retrieve", "stage 2: candidates of all sources, merged with their provenance")
RETRIEVE_SOURCE = SpanName("retrieve_source {source}", "one candidate source, inside retrieval")
HYDRATE_ITEMS = SpanName("hydrate_items", "stage 3: the columns of all candidates")
RANK = SpanName("rank", "stage 4: pre-rank and head scores")
DECIDE = SpanName("decide", "stage 5: slate, mutations and propensities")
RECORD = SpanName("record", "stage 6: the record's append, awaited")
# Spans: calls and the log.
RPC_SERVER = SpanName("{rpc.method}", "one call as its server sees it")
RPC_CLIENT = SpanName("{rpc.method}", "one call as its client sees it")
SEND = SpanName("send {topic}", "records handed to the log until acknowledged")
PROCESS = SpanName("process {topic}", "one batch applied by a consumer; links to the senders' spans")
# Spans: work outside requests.
LOAD_MODEL = SpanName("load_model", "one model verified and loaded")
BUILD_INDEX = SpanName("build_index", "one index built and swapped in")
TRAIN = SpanName("train", "one training run, from replay to gates")
REPLAY = SpanName("replay", "the log folded into a clean namespace")

# Attributes: stable RPC conventions (OpenTelemetry semantic conventions, rpc stable since 1.45).
RPC_SYSTEM_NAME = Attribute("rpc.system.name", str, "", "always grpc")
RPC_METHOD = Attribute("rpc.method", str, "", "fully qualified: package.Service/Method")
RPC_RESPONSE_STATUS_CODE = Attribute("rpc.response.status_code", str, "", "gRPC status by name, OK included")
ERROR_TYPE = Attribute("error.type", str, "", "status name of a call, else fault reason or exception; only on errors")
FAULT = Attribute("loopwright.fault", str, "", "reason of the fault that a failed call became at its client")
SERVER_ADDRESS = Attribute("server.address", str, "", "host of the channel's target, or the whole list of addresses")
SERVER_PORT = Attribute("server.port", int, "", "TCP port of the channel's target, when it is one address")
# Attributes: messaging conventions.
MESSAGING_SYSTEM = Attribute("messaging.system", str, "", "always kafka")
MESSAGING_OPERATION_NAME = Attribute("messaging.operation.name", str, "", "send or process")
MESSAGING_OPERATION_TYPE = Attribute("messaging.operation.type", str, "", "send or process")
MESSAGING_DESTINATION = Attribute("messaging.destination.name", str, "", "topic of the records")
MESSAGING_PARTITION = Attribute("messaging.destination.partition.id", str, "", "physical partition")
MESSAGING_BATCH_COUNT = Attribute("messaging.batch.message_count", int, "1", "records in the batch")
MESSAGING_GROUP = Attribute("messaging.consumer.group.name", str, "", "consumer group")
# Attributes: ours.
SURFACE = Attribute("loopwright.surface", str, "", "surface of the request")
PURPOSE = Attribute("loopwright.purpose", str, "", "SERVE, EVALUATE, SHADOW or SIMULATE")
DECISION = Attribute("loopwright.decision_id", str, "", "decision id as 32 hex digits")
POLICY_VERSION = Attribute("loopwright.policy_version", str, "", "hash of the bundle in force")
MODEL_VERSION = Attribute("loopwright.model_version", str, "", "hash of the model in use")
INDEX_EPOCH = Attribute("loopwright.index_epoch", str, "", "hash of the index contents searched")
SOURCE = Attribute("loopwright.source", str, "", "candidate source")
CANDIDATE_COUNT = Attribute("loopwright.candidates", int, "1", "candidates in or out of the stage")
SLATE_LENGTH = Attribute("loopwright.slate_length", int, "1", "items in the slate")
DEGRADED = Attribute("loopwright.degraded", bool, "", "the answer has at least one degradation")
LINKS_LEFT_OUT = Attribute("loopwright.links_left_out", int, "1", "sampled senders' spans above the most links")
DEADLINE_REMAINING = Attribute("loopwright.deadline_remaining", float, "s", "time left when the call came")

# Metrics: calls and stages.
RPC_SERVER_DURATION = Metric(
    "rpc.server.call.duration",
    _HISTOGRAM,
    "seconds",
    "duration of calls as the server sees them",
    ("rpc_method", "rpc_response_status_code"),
    _SECONDS,
)
RPC_CLIENT_DURATION = Metric(
    "rpc.client.call.duration",
    _HISTOGRAM,
    "seconds",
    "duration of calls as the client sees them",
    ("rpc_method", "rpc_response_status_code"),
    _SECONDS,
)
RPC_OVERRUNS = Metric(
    "loopwright.rpc.overruns",
    _COUNTER,
    "",
    "handlers that worked on for more than 50 ms past their call's deadline",
    ("rpc_method",),
)
RPC_RETRIES = Metric("loopwright.rpc.retries", _COUNTER, "", "second attempts of calls to a leaf", ("target",))
REQUESTS_SHED = Metric(
    "loopwright.requests.shed", _COUNTER, "", "calls refused at the limit of calls in flight", ("rpc_method",)
)
IN_FLIGHT_LIMIT = Metric("loopwright.requests.in_flight_limit", _GAUGE, "", "calls in flight that are let in now")
BREAKER_STATE = Metric(
    "loopwright.breaker.state", _GAUGE, "", "breaker of a leaf: 0 closed, 1 half open, 2 open", ("target",)
)
STAGE_DURATION = Metric(
    "loopwright.stage.duration", _HISTOGRAM, "seconds", "duration of a pipeline stage", ("stage",), _SECONDS
)
DEGRADATIONS = Metric("loopwright.degradations", _COUNTER, "", "degradations put on answers", ("stage", "reason"))
DECISIONS = Metric("loopwright.decisions", _COUNTER, "", "decisions answered", ("surface", "outcome"))
CANDIDATES = Metric(
    "loopwright.candidates",
    _HISTOGRAM,
    "",
    "candidates that a source gave to one request",
    ("source",),
    _SIZES,
)
# Metrics: the log.
EVENTS_APPENDED = Metric("loopwright.events.appended", _COUNTER, "", "records acknowledged by the log", ("topic",))
EVENTS_CONSUMED = Metric("loopwright.events.consumed", _COUNTER, "", "records read from the log", ("topic",))
EVENTS_DUPLICATE = Metric("loopwright.events.duplicate", _COUNTER, "", "records dropped as seen before", ("topic",))
EVENTS_DEAD = Metric("loopwright.events.dead", _COUNTER, "", "records put aside", ("topic", "reason"))
OUTBOX_DEPTH = Metric("loopwright.outbox.depth", _GAUGE, "records", "records waiting in the outbox")
OUTBOX_AGE = Metric("loopwright.outbox.age", _GAUGE, "seconds", "age of the oldest record in the outbox")
OUTBOX_BYTES = Metric("loopwright.outbox.size", _GAUGE, "bytes", "size of the outbox on disk")
OUTBOX_ROOM = Metric("loopwright.outbox.room", _GAUGE, "bytes", "bytes the outbox still takes, by bound and disk")
OUTBOX_REFUSED = Metric(
    "loopwright.outbox.refused", _COUNTER, "", "records the outbox refused, by worth and bound", ("kind", "reason")
)
FUNNELS_SHED = Metric("loopwright.funnels.shed", _COUNTER, "", "funnels not recorded for want of room in the outbox")
PROJECTION_LAG = Metric(
    "loopwright.projection.lag", _GAUGE, "seconds", "how far a projection is behind the log", ("group",)
)
CONSUMER_LAG = Metric(
    "loopwright.consumer.lag", _GAUGE, "records", "records that a consumer has still to fold", ("topic", "group")
)
CONSUMER_REOPENED = Metric(
    "loopwright.consumer.reopened",
    _COUNTER,
    "",
    "readers opened again because they were stuck or had failed",
    ("topic", "reason"),
)
# Metrics: traces.
TRACE_SPANS = Metric(
    "loopwright.trace.spans",
    _COUNTER,
    "",
    "spans on their way out: exported, refused by the sink, dropped at the queue, evicted before their trace ended",
    ("outcome",),
)
# Metrics: models.
MODEL_LOADS = Metric("loopwright.model.loads", _COUNTER, "", "models verified and loaded", ("model",))
MODEL_REJECTIONS = Metric("loopwright.model.rejections", _COUNTER, "", "models refused", ("model", "reason"))
# Metrics: the loop's health.
EXPOSURE_GINI = Metric(
    "loopwright.exposure.gini",
    _GAUGE,
    "ratio",
    "Gini coefficient of exposure over items or creators of the catalogue",
    ("surface", "kind"),
)
EXPOSURE_TOP_SHARE = Metric(
    "loopwright.exposure.top_share",
    _GAUGE,
    "ratio",
    "share of exposures that go to the top 1 % of items or creators",
    ("surface", "kind"),
)
EXPOSURE_COVERAGE = Metric(
    "loopwright.exposure.coverage",
    _GAUGE,
    "ratio",
    "share of the catalogue's items or creators that were exposed",
    ("surface", "kind"),
)
EXPOSURE_SOURCE_SHARE = Metric(
    "loopwright.exposure.source_share",
    _GAUGE,
    "ratio",
    "share of slate positions by source; sources that both proposed an item halve it",
    ("surface", "source"),
)
EXPOSURE_SCHEME_SHARE = Metric(
    "loopwright.exposure.scheme_share",
    _GAUGE,
    "ratio",
    "share of slate positions by the branch that was drawn",
    ("surface", "kind"),
)
EXPOSURE_FRESH_SHARE = Metric(
    "loopwright.exposure.fresh_share", _GAUGE, "ratio", "share of slate positions with a fresh item", ("surface",)
)
DEGRADED_SHARE = Metric(
    "loopwright.decisions.degraded_share", _GAUGE, "ratio", "share of SERVE decisions that were degraded", ("surface",)
)
IMPRESSIONS_ACCOUNTED = Metric(
    "loopwright.impressions.accounted",
    _GAUGE,
    "items",
    "items of served slates by what is known of them; see the monitor's README",
    ("surface", "state"),
)
IMPRESSIONS_UNMATCHED = Metric(
    "loopwright.impressions.unmatched",
    _GAUGE,
    "items",
    "reports and actions on items that no SERVE decision on record placed",
    ("surface",),
)

SPANS: frozenset[SpanName] = frozenset(v for v in list(vars().values()) if isinstance(v, SpanName))
ATTRIBUTES: dict[str, Attribute] = {v.name: v for v in list(vars().values()) if isinstance(v, Attribute)}
METRICS: frozenset[Metric] = frozenset(v for v in list(vars().values()) if isinstance(v, Metric))
