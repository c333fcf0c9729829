# What the stub generator can't see: imports that signatures use, and types that are not made by nanobind. Docstrings
# are those of the code.
_native.__suffix__:
    \from collections.abc import Iterator
    \from typing import overload
    \from numpy.random import Generator

_native.Handlespace.select:
    def select(self, pool_handle: bytes, count: int, draws: Draws, /) -> ElementList:
    \doc

_native.EventQueue.__new__:
    def __init__(self, clock: Any, now: float = 0.0) -> None: ...
_native.EventQueue.call_at:
    def call_at(self, time: float, function: Callable[..., object], /, *args: object) -> None:
    \doc
_native.EventQueue.call_method_at:
    def call_method_at(self, time: float, name: str, owner: object, /, *args: object) -> None:
    \doc
_native.EventQueue.schedule:
    def schedule(self, time: float, priority: int, event: Any, /) -> None:
    \doc
_native.EventQueue.timer:
    def timer(self, function: Callable[[], object], /) -> Timer:
    \doc
_native.EventQueue.step:
    def step(self) -> bool:
    \doc
_native.EventQueue.run_until:
    def run_until(self, time: float, /) -> None:
    \doc
_native.EventQueue.peek:
    def peek(self) -> float:
    \doc

_native.Timer.start:
    def start(self, delay: float, /) -> None:
    \doc
_native.Timer.(stop|cancel):
    def \1(self) -> None:
    \doc
_native.Timer.running:
    @property
    def running(self) -> bool:
    \doc

_native.Traffic.__new__:
    def __init__(self, protocols: tuple[int, ...]) -> None: ...
_native.Traffic.count:
    def count(self, ppid: int, data: bytes, /) -> None:
    \doc
_native.Traffic.messages:
    @property
    def messages(self) -> dict[int, list[int]]:
    \doc
_native.Traffic.octets:
    @property
    def octets(self) -> dict[int, int]:
    \doc
_native.(EventQueue|Traffic).fingerprint:
    @property
    def fingerprint(self) -> int:
    \doc

_native.Stream.__new__:
    def __init__(self, make: Callable[[], Generator]) -> None: ...
_native.Stream.(exponential|uniform):
    def \1(self) -> float:
    \doc
_native.Stream.identifier:
    def identifier(self) -> int:
    \doc
_native.Stream.generator:
    @property
    def generator(self) -> Generator:
    \doc

_native.Draws.__new__:
    def __init__(self, generator: Generator | Callable[[], Generator]) -> None: ...
_native.Draws.below:
    def below(self, bound: int, /) -> int:
    \doc

_native.UserList.__new__:
    def __init__(self, elements: Iterable[PoolElement] | HandleResolutionResponse, rule: UserRule) -> None: ...
_native.UserList.choose:
    def choose(self, draws: Draws, /) -> PoolElement | None:
    \doc
_native.UserList.forget:
    def forget(self, identifier: int, /) -> None:
    \doc
_native.UserList.find:
    def find(self, identifier: int, /) -> PoolElement | None:
    \doc
_native.UserList.__getitem__:
    def __getitem__(self, index: int, /) -> PoolElement: ...
_native.UserList.__iter__:
    def __iter__(self) -> Iterator[PoolElement]: ...

_native.(EventQueue|UserList).__len__:
    def __len__(self) -> int: ...

_native.ElementList:
    class ElementList(Sequence[PoolElement]):
    \doc

        @overload
        def __getitem__(self, index: int) -> PoolElement: ...
        @overload
        def __getitem__(self, index: slice) -> ElementList: ...
        def __len__(self) -> int: ...
