from loopwright.api.buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Sealed(_message.Message):
    __slots__ = ("key_id", "data")
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    key_id: int
    data: bytes
    def __init__(self, key_id: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class SealedContext(_message.Message):
    __slots__ = ("external_id", "query_text")
    EXTERNAL_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_TEXT_FIELD_NUMBER: _ClassVar[int]
    external_id: str
    query_text: str
    def __init__(self, external_id: _Optional[str] = ..., query_text: _Optional[str] = ...) -> None: ...
