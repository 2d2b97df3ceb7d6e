from loopwright.api.common.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ItemFactsDerived(_message.Message):
    __slots__ = ("source_topic", "source_partitions", "item_partition", "offsets", "fact_indices", "item_ids", "kinds", "values", "occurred_at_ms")
    SOURCE_TOPIC_FIELD_NUMBER: _ClassVar[int]
    SOURCE_PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    ITEM_PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    FACT_INDICES_FIELD_NUMBER: _ClassVar[int]
    ITEM_IDS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_MS_FIELD_NUMBER: _ClassVar[int]
    source_topic: str
    source_partitions: _tensor_pb2.Tensor
    item_partition: int
    offsets: _tensor_pb2.Tensor
    fact_indices: _tensor_pb2.Tensor
    item_ids: _tensor_pb2.Tensor
    kinds: _tensor_pb2.Tensor
    values: _tensor_pb2.Tensor
    occurred_at_ms: _tensor_pb2.Tensor
    def __init__(self, source_topic: _Optional[str] = ..., source_partitions: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., item_partition: _Optional[int] = ..., offsets: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., fact_indices: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., item_ids: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., kinds: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., values: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ..., occurred_at_ms: _Optional[_Union[_tensor_pb2.Tensor, _Mapping]] = ...) -> None: ...

class ItemRowFolded(_message.Message):
    __slots__ = ("item_id", "group_version", "state")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    GROUP_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    group_version: str
    state: bytes
    def __init__(self, item_id: _Optional[int] = ..., group_version: _Optional[str] = ..., state: _Optional[bytes] = ...) -> None: ...
