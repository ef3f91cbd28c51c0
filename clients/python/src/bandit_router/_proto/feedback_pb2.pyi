# SPDX-License-Identifier: Apache-2.0
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

ACCEPTED: Outcome
DESCRIPTOR: _descriptor.FileDescriptor
DUPLICATE: Outcome
LATE: Outcome
OUTCOME_UNSPECIFIED: Outcome
REJECTED: Outcome
UNKNOWN: Outcome

class RecordRequest(_message.Message):
    __slots__ = ["rewards"]
    REWARDS_FIELD_NUMBER: _ClassVar[int]
    rewards: _containers.RepeatedCompositeFieldContainer[Reward]
    def __init__(self, rewards: _Optional[_Iterable[_Union[Reward, _Mapping[str, object]]]] = ...) -> None: ...

class RecordResponse(_message.Message):
    __slots__ = ["outcomes", "refusals"]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    outcomes: _containers.RepeatedScalarFieldContainer[Outcome]
    refusals: _containers.RepeatedCompositeFieldContainer[Refusal]
    def __init__(self, outcomes: _Optional[_Iterable[_Union[Outcome, str]]] = ..., refusals: _Optional[_Iterable[_Union[Refusal, _Mapping[str, object]]]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ["reward", "why"]
    REWARD_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    reward: int
    why: str
    def __init__(self, reward: _Optional[int] = ..., why: _Optional[str] = ...) -> None: ...

class Reward(_message.Message):
    __slots__ = ["decision", "metric", "request_id", "value"]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    decision: str
    metric: str
    request_id: str
    value: float
    def __init__(self, decision: _Optional[str] = ..., metric: _Optional[str] = ..., value: _Optional[float] = ..., request_id: _Optional[str] = ...) -> None: ...

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
