# What the stub generator can't see: imports that signatures use.
_native.__suffix__:
    from typing import overload
    from numpy.random import Generator

# Methods and types that are not made by nanobind.
_native.Handlespace.select:
    def select(self, pool_handle: bytes, count: int, draws: Draws, /) -> ElementList:
        """
        Up to `count` distinct elements by the pool's policy, as a resolution lists them (without ASAP transport).
        """

_native.EventQueue:
    class EventQueue:
        """What is due, in order of time, priority and insertion.

        Parameters: `clock` whose `_now` follows, and whose `_process` takes events of SimPy's.
        """

        def __init__(self, clock: Any, now: float = 0.0) -> None: ...
        def call_at(self, time: float, function: Callable[..., object], *args: object) -> None:
            """Calls `function(*args)` at `time` (s, absolute); it can't be called back."""
        def call_method_at(self, time: float, name: str, owner: object, *args: object) -> None:
            """The same for `owner.name(*args)`, without an object for the bound method."""
        def schedule(self, time: float, priority: int, event: Any) -> None:
            """Puts an event of SimPy's into the queue."""
        def timer(self, function: Callable[[], object]) -> Timer:
            """A timer that calls `function` when it expires; it isn't running yet."""
        def step(self) -> bool:
            """Carries out what is due first; False if nothing is. Not from within what it calls (ReentryError)."""
        def run_until(self, time: float) -> None:
            """Carries out all that is due before `time` (s). Not from within what it calls (ReentryError)."""
        def peek(self) -> float:
            """When something is due next, infinity if nothing is."""
        @property
        def fingerprint(self) -> int:
            """Fingerprint of the times of all that was carried out, in its order."""
        def __len__(self) -> int:
            """Entries, among them those of stopped timers: at most as many as the others, or 64."""

_native.Traffic:
    class Traffic:
        """
        Messages and bytes sent, by payload protocol and message type.

        Parameters: `protocols` identifiers that are listed even if nothing is sent.
        """

        def __init__(self, protocols: tuple[int, ...]) -> None: ...
        def count(self, ppid: int, data: bytes, /) -> None:
            """Counts one message under its type, which its first byte gives."""
        @property
        def messages(self) -> dict[int, list[int]]:
            """Numbers of messages by payload protocol, in a list by type."""
        @property
        def octets(self) -> dict[int, int]:
            """Bytes by payload protocol."""
        @property
        def fingerprint(self) -> int:
            """Fingerprint of all messages in their order."""

_native.Timer:
    class Timer:
        """A named time-out that can be started, restarted and stopped."""

        def start(self, delay: float) -> None:
            """Expires `delay` seconds from now, whatever it was to do before."""
        def stop(self) -> None:
            """Does not expire, until it is started again."""
        def cancel(self) -> None:
            """Never expires again, and lets go of its function."""
        @property
        def running(self) -> bool:
            """Whether it will expire if nobody stops it."""

_native.Stream:
    class Stream:
        """Draws of one actor for one purpose, from a generator of its own.

        Draws come in blocks; the sequence is that of single draws. Parameters: `make` makes the generator when it is
        first needed, since many actors never draw.
        """

        def __init__(self, make: Callable[[], Generator]) -> None: ...
        def exponential(self) -> float:
            """One draw of the exponential distribution with mean 1."""
        def uniform(self) -> float:
            """One draw of the uniform distribution on [0, 1)."""
        def identifier(self) -> int:
            """One draw of a 32-bit identifier, never 0."""
        @property
        def generator(self) -> Generator:
            """The generator itself, for draws of other kinds."""

_native.Draws:
    class Draws:
        """
        Random draws for selections, from a numpy Generator or from what makes one when it is first needed.
        """

        def __init__(self, generator: Generator | Callable[[], Generator]) -> None: ...
        def below(self, bound: int) -> int:
            """Uniform on 0 to bound - 1."""

_native.UserList:
    class UserList:
        """The elements of an answer, as a pool user works through them."""

        def __init__(self, elements: Iterable[PoolElement], rule: UserRule) -> None: ...
        def choose(self, draws: Draws) -> PoolElement | None:
            """The element to use next, None if none is left."""
        def forget(self, identifier: int) -> None:
            """Takes out an element that was found unreachable."""
        def __len__(self) -> int: ...

_native.ElementList:
    class ElementList(Sequence[PoolElement]):
        """The elements that a selection lists, in its order, as they were then.

        A sequence, equal to a tuple of the same elements; each is made into an object when it is looked at.
        """

        @overload
        def __getitem__(self, index: int) -> PoolElement: ...
        @overload
        def __getitem__(self, index: slice) -> ElementList: ...
        def __len__(self) -> int: ...
