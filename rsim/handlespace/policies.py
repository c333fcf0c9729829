"""Selection policies by name: the native ones, and those that users write in Python.

A policy of your own is a subclass of `SelectionPolicy`, registered by `@policy`; from then on its
name stands in scenarios, its type code on the wire, and its class selects at every server.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, TypeVar

from mypy_extensions import mypyc_attr

from rsim._native import (
    Draws,
    Policy,
    PoolElement,
    UserRule,
    policy_types,
    policy_user_rule,
    policy_values,
    register_selection,
)
from rsim.errors import PolicyError
from rsim.registrations import note
from rsim.suggestions import unknown

LARGEST = 0xFFFFFFFF
"""Largest policy value; as a load 100% (RFC 5356 3.1)."""


@dataclass(frozen=True, slots=True)
class PolicyKind:
    """What a policy is called and has.

    Parameters: `name` in scenarios; `type_code` on the wire, 32 bits; `values` names of its 32-bit
    words in the order of the wire; `user_rule` what a pool user does with an answer.
    """

    name: str
    type_code: int
    values: tuple[str, ...]
    user_rule: UserRule


@mypyc_attr(allow_interpreted_subclasses=True)
class SelectionPolicy(ABC):
    """A selection policy in Python: the elements of one pool, and which of them to list.

    Class attributes: `name`; `type_code`, private (0x80000000 upward, RFC 5356 7.1); `values` names
    of the 32-bit words that its parameter holds; `user_rule` what pool users do with an answer.

    Its methods may read the handlespace that calls them. If they change it, that raises
    ReentryError. What they raise reaches the caller of the handlespace, which stays consistent.
    """

    name: ClassVar[str]
    type_code: ClassVar[int]
    values: ClassVar[tuple[str, ...]] = ()
    user_rule: ClassVar[UserRule] = UserRule.IN_ORDER

    @abstractmethod
    def insert(self, element: PoolElement) -> None:
        """Adds an element. If it raises, the element is not registered.

        Parameters: `element` that has registered.
        """

    @abstractmethod
    def remove(self, identifier: int) -> None:
        """Removes an element. If it raises, the element is gone all the same.

        Parameters: `identifier` of the element, 32 bits.
        """

    @abstractmethod
    def update(self, element: PoolElement) -> None:
        """Takes new values of an element. If it raises, they hold all the same.

        Parameters: `element` as it has registered again.
        """

    @abstractmethod
    def select(self, count: int, draws: Draws) -> list[int]:
        """Identifiers of distinct elements, in the order of the answer.

        Parameters: `count` most elements; `draws` random draws of the run. For any other answer,
        the caller of the selection gets a PolicyError.
        """

    @classmethod
    def values_of(cls, element: PoolElement) -> dict[str, int]:
        """The values in an element's policy parameter, by name.

        Parameters: `element` of a pool with this policy. Raises PolicyError if the parameter has
        another size.
        """
        data = element.policy.data
        if len(data) != 4 * len(cls.values):
            raise PolicyError(
                f"{cls.name}: parameter of {len(data)} bytes, not {4 * len(cls.values)}"
            )
        words = (int.from_bytes(data[i : i + 4]) for i in range(0, len(data), 4))
        return dict(zip(cls.values, words, strict=True))


_KINDS = {
    name: PolicyKind(name, code, policy_values(name), policy_user_rule(name))
    for name, code in policy_types().items()
}
_NATIVE = tuple(_KINDS)
_NATIVE_VALUES = frozenset(value for kind in _KINDS.values() for value in kind.values)
_RULES = {kind.type_code: kind.user_rule for kind in _KINDS.values()}

P = TypeVar("P", bound=type[SelectionPolicy])


def policy(cls: P) -> P:
    """Registers a policy class under its name and type code.

    Parameters: `cls` a subclass of SelectionPolicy. Raises PolicyError if the name or the type code
    is a native policy's, or the code not private.

    >>> import rsim
    >>> from rsim.handlespace import SelectionPolicy
    >>> @rsim.policy
    ... class FirstCome(SelectionPolicy):
    ...     name = "first_come"
    ...     type_code = 0x80000F00
    ...     def __init__(self):
    ...         self.known = []
    ...     def insert(self, element):
    ...         self.known.append(element.identifier)
    ...     def remove(self, identifier):
    ...         self.known.remove(identifier)
    ...     def update(self, element):
    ...         pass
    ...     def select(self, count, draws):
    ...         return self.known[:count]
    >>> result = rsim.run(rsim.load("scenario.toml", {"pools.pool.policy": "first_come"}))
    >>> result.metrics["requests_completed"] > 0
    True
    """
    native_code = any(_KINDS[name].type_code == cls.type_code for name in _NATIVE)
    if cls.name in _NATIVE or native_code:
        raise PolicyError(f"{cls.name}: name or type code of a native policy")
    if not 0x80000000 <= cls.type_code <= LARGEST:
        raise PolicyError(
            f"{cls.name}: type code 0x{cls.type_code:x} is not private (0x8… to 0xf…)"
        )
    _KINDS[cls.name] = PolicyKind(cls.name, cls.type_code, tuple(cls.values), cls.user_rule)
    _RULES[cls.type_code] = cls.user_rule
    _policy_of.cache_clear()
    register_selection(cls.type_code, cls)
    note("policy", cls.name, cls)
    return cls


def policy_kinds() -> dict[str, PolicyKind]:
    """All policies by name."""
    return dict(_KINDS)


def user_rule(type_code: int) -> UserRule:
    """The pool user's rule for a policy type; in order for types unknown here.

    Parameters: `type_code` of the policy, 32 bits.
    """
    return _RULES.get(type_code, UserRule.IN_ORDER)


def policy_with(name: str, offered: dict[str, int], load: int | None = None) -> Policy:
    """The policy parameter with those of the offered values that the policy has, 0 for the others.

    Parameters: `name` of the policy; `offered` 32-bit values by name (`load`, `weight`, ...), loads
    as shares of 0xffffffff (RFC 5356 3.1); `load` in place of the one offered.

    Raises PolicyError if there is no such policy, or if it has a value that no native policy has
    and nobody offers.
    """
    kind = _KINDS.get(name)
    if kind is None:
        raise PolicyError(unknown("policy", name, _KINDS))
    values = [
        load if load is not None and value == "load" else _offer(name, value, offered)
        for value in kind.values
    ]
    return _policy_of(name, tuple(values))


def _offer(name: str, value: str, offered: dict[str, int]) -> int:
    found = offered.get(value)
    if found is not None:
        return found
    if value not in _NATIVE_VALUES:
        known = ", ".join(sorted({*_NATIVE_VALUES, *offered}))
        raise PolicyError(f"{name}: elements do not offer its value '{value}'; they offer {known}")
    return 0


@lru_cache(maxsize=1024)
def _policy_of(name: str, values: tuple[int, ...]) -> Policy:
    """Elements state the same few values again and again."""
    kind = _KINDS[name]
    if name not in _NATIVE:
        return Policy(kind.type_code, data=b"".join(value.to_bytes(4) for value in values))
    named: dict[str, Any] = dict(zip(kind.values, values, strict=True))
    return Policy(name, **named)


def load_value(share: float) -> int:
    """A load or degradation as on the wire: 0 to 1 is 0 to 0xffffffff, rounded (RFC 5356 3.1).

    Parameters: `share` of full load; what is outside 0 to 1 is cut off.
    """
    return int(min(1.0, max(0.0, share)) * LARGEST + 0.5)
